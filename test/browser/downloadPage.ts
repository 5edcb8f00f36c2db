// What the test of downloads does inside the page: reads an address and tells how it went.
import { isTransferKitError } from '../../src/core/errors.ts';
import type { ReadOptions } from '../../src/core/platform.ts';
import { platform } from '../../src/platform/browser/platform.ts';

/** How a read went. */
export interface Reading {
  readonly length?: number;
  /** Sum of all bytes. */
  readonly sum?: number;
  readonly received?: readonly number[];
  readonly code?: string;
  readonly message?: string;
}

declare global {
  interface Window {
    read?: (address: string, options: ReadOptions) => Promise<Reading>;
  }
}

window.read = async (address, options) => {
  const received: number[] = [];
  try {
    const bytes = await platform.readBytes(address, {
      retryDelay: 1,
      ...options,
      onProgress: (progress) => received.push(progress.received),
    });
    return { length: bytes.length, sum: bytes.reduce((sum, byte) => sum + byte, 0), received };
  } catch (error) {
    return isTransferKitError(error) ? { code: error.code, message: error.message } : { message: String(error) };
  }
};
