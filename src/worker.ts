// The door for workers: the verbs run in a worker, and a page calls them.
export { connectTransferKit } from './connectTransferKit.ts';
export type {
  ConnectOptions,
  OwnFunctions,
  PredictLiveOptions,
  RemoteContestant,
  RemoteSource,
  RemoteTransferKit,
} from './connectTransferKit.ts';
export { serveTransferKit } from './serveTransferKit.ts';
export type { ServeOptions } from './serveTransferKit.ts';
export type { WorkerLike } from './core/endpoint.ts';
export type {
  Given,
  Received,
  Remote,
  RemoteBase,
  RemoteClassifier,
  RemoteLoadedModel,
  RemoteModel,
} from './worker/standIns.ts';
