// The worker of the benchmark's page.
import { serveTransferKit } from 'transferkit/worker';

serveTransferKit();
