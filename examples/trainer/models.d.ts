// The types of models.js, for the test of the page.

/** Writes what is missing in the folder `models`. */
export function writeModels(): Promise<void>;
