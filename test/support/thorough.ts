// Whether the tests run as `npm run test:thorough`: cases that take long, and whose kind has another case in `npm
// test`.
export const isThorough = process.env.TEST_THOROUGH === 'true';
