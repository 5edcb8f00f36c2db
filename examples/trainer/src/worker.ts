// The worker: everything that computes runs here, so that the page stays responsive.
import { serveTransferKit } from 'transferkit/worker';

serveTransferKit();
