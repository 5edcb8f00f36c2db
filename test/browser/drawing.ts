// Pictures that are the same in Node and every browser.
import type { Picture } from '../../src/index.ts';

/** Rings or stripes in colours and of a width that follow from the number, in whole numbers: the same in every browser. */
export function drawing(index: number, size: number): Picture {
  const data = new Uint8Array(size * size * 3);
  const width = 5 + (index % 4);
  for (let y = 0, to = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [across, down] = [x - 40 - index, y - 50 + index];
      const isDark =
        index % 2 === 0
          ? ((across * across + down * down) >> (6 + (index % 2))) % width < width / 2
          : (x + y * (index % 3)) % width < width / 2;
      const noise = (x * 7919 + y * 104729 + index * 1299709) % 97;
      for (let channel = 0; channel < 3; channel++)
        data[to++] = (isDark ? 20 : 140) + ((noise + channel * index * 9) % 100);
    }
  }
  return { width: size, height: size, data };
}
