// The connection between a page, or the main thread of Node, and a worker. Types only.

/** What happens at the other end. */
export interface EndpointEvents {
  /** A message, as it was sent. */
  message(data: unknown): void;
  /** An uncaught error of the worker's program, a file that does not load, or a message that cannot be read. */
  error(reason: string): void;
  /** The worker has ended. */
  end(): void;
}

/** One end of a connection. */
export interface Endpoint {
  /** Sends a message as structured clone. What `transfer` lists moves to the other side. */
  send(message: unknown, transfer: readonly Transferable[]): void;
  /** Stops listening. On the side that started the worker: also ends the worker. */
  close(): void;
}

/** A worker as browsers and Node have them. */
export interface WorkerLike {
  /** Sends a message. */
  postMessage(message: unknown): void;
  /** Ends the worker. */
  terminate(): unknown;
}

/** Workers of an environment, and what can be sent to them. */
export interface WorkerLinks {
  /** Listens to a worker. Raises INVALID_OPTION for anything else. */
  connect(worker: unknown, events: EndpointEvents): Endpoint;
  /** In a worker: listens to whoever started it. Undefined elsewhere. */
  parent(events: EndpointEvents): Endpoint | undefined;
  /**
   * In a worker: keeps a sign of life under this name until the worker ends. Environments that report the end of a worker
   * do nothing.
   *
   * @returns Whether `watchLife` will notice its end.
   */
  showLife(name: string): Promise<boolean>;
  /** Calls `ended` when the sign of life of this name is gone. */
  watchLife(name: string, ended: () => void): void;
  /**
   * What an element of a page shows now, as a picture that can be sent; undefined for other values. Raises UNREADABLE
   * where it shows nothing yet.
   */
  snapshot(value: unknown): Promise<Transferable | undefined>;
}
