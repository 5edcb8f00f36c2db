// Folders of pictures: layouts, order, what is set aside, and what is refused. The files here are empty: none is read.
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Samples } from '../../../src/core/types.ts';
import { imageFolder, type ImageFolderOptions } from '../../../src/platform/node/imageFolder.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'transferkit-folder-'));
});
afterEach(() => rm(root, { recursive: true }));

async function make(...files: string[]): Promise<string> {
  for (const file of files) {
    const path = join(root, file);
    await mkdir(dirname(path), { recursive: true });
    if (!file.endsWith('/')) await writeFile(path, '');
    else await mkdir(path, { recursive: true });
  }
  return root;
}

async function idsOf(samples: Samples<string>): Promise<string[]> {
  return Promise.all(Array.from({ length: samples.size }, async (_, i) => (await samples.read(i)).id));
}

describe('imageFolder', () => {
  it('takes one folder for each label, at any depth, sorted by path', async () => {
    const folder = await imageFolder(await make('dog/b.jpg', 'cat/2.PNG', 'cat/10.jpeg', 'dog/a/z.webp', 'cat/1.gif'));
    expect(folder.labels).toEqual(['cat', 'dog']);
    expect(folder.classCounts).toEqual({ cat: 3, dog: 2 });
    expect(await idsOf(folder)).toEqual(['cat/1.gif', 'cat/10.jpeg', 'cat/2.PNG', 'dog/a/z.webp', 'dog/b.jpg']);
    expect(await folder.read(3)).toEqual({
      input: join(root, 'dog', 'a', 'z.webp'),
      target: 'dog',
      id: 'dog/a/z.webp',
    });
    expect(folder.target(3)).toBe('dog');
    expect(folder.ignored).toEqual({ hidden: 0, notImages: 0, undecodable: 0, files: [], reasons: {} });
    expect(folder.splits).toEqual({});
    expect(folder.onUnreadable).toBe('error');
  });

  it('takes URLs and relative paths, and keeps onUnreadable through splits', async () => {
    await make('cat/1.jpg', 'cat/2.jpg');
    const folder = await imageFolder(pathToFileURL(root), { onUnreadable: 'skip' });
    expect(folder.split({ validation: 0.5 }).train.onUnreadable).toBe('skip');
  });

  it('skips and counts hidden files and files that are not pictures', async () => {
    const folder = await imageFolder(
      await make(
        'cat/1.jpg',
        'cat/.DS_Store',
        'cat/._1.jpg',
        'cat/Thumbs.db',
        '.git/x.jpg',
        '__MACOSX/cat/1.jpg',
        'cat/notes.txt',
        'README.md',
        'dog/2.jpg',
        'dog/clip.mp4',
      ),
    );
    expect(folder.size).toBe(2);
    expect(folder.ignored).toMatchObject({
      hidden: 5,
      notImages: 3,
      files: [
        '.git',
        'README.md',
        '__MACOSX',
        'cat/.DS_Store',
        'cat/._1.jpg',
        'cat/Thumbs.db',
        'cat/notes.txt',
        'dog/clip.mp4',
      ],
    });
  });

  it('lists pictures that sharp cannot decode, with advice', async () => {
    const undecodable = ['cat/1.HEIC', 'cat/2.bmp', 'cat/3.svg', 'cat/4.svgz', 'cat/5.nef', 'cat/6.jxl', 'cat/7.pdf'];
    const folder = await imageFolder(await make('cat/0.jpg', 'cat/notes.txt', ...undecodable));
    expect(await idsOf(folder)).toEqual(['cat/0.jpg']);
    expect(folder.ignored).toMatchObject({ hidden: 0, notImages: 1, undecodable: 7 });
    expect(folder.ignored.files).toEqual([...undecodable, 'cat/notes.txt']);
    expect(folder.ignored.reasons).toMatchObject({
      'cat/1.HEIC': 'HEIC: convert it to JPEG',
      'cat/2.bmp': 'BMP: convert it to PNG',
      'cat/5.nef': 'the raw file of a camera: convert it to JPEG',
      'cat/6.jxl': 'JPEG XL: convert it to JPEG',
      'cat/notes.txt': 'not a picture',
    });
    expect(folder.ignored.reasons['cat/3.svg']).toMatch(/^SVG, .*pictures: \{ svg: true \}/);
    await rm(join(root, 'cat', '0.jpg'));
    await expect(imageFolder(root)).rejects.toThrow(/got none \(but cat\/1\.HEIC, HEIC: convert it to JPEG, .* more\)/);
  });

  it('accepts all requested file extensions, decodable or not', async () => {
    const folder = await imageFolder(await make('cat/1.bmp', 'cat/2.jpg'), { extensions: ['bmp'] });
    expect(await idsOf(folder)).toEqual(['cat/1.bmp']);
    expect(folder.ignored.reasons).toEqual({ 'cat/2.jpg': 'not among the extensions' });
  });

  it('refuses invalid folders and lists of file extensions', async () => {
    const bad: unknown[] = [
      undefined,
      null,
      7,
      '',
      [],
      new URL('https://example.org/photos'),
      new URL('file://host/photos'),
    ];
    for (const folder of bad) {
      await expect(imageFolder(folder as string)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    }
    for (const extensions of ['jpg', [], [1]] as unknown[]) {
      await expect(imageFolder(root, { extensions: extensions as string[] })).rejects.toThrow(
        /expected extensions to be a list/,
      );
    }
  });

  it('explains that the shell expands ~, and names the folder', async () => {
    await expect(imageFolder('~')).rejects.toThrow(
      /A shell replaces ~ by the home folder, Node does not: .*, which is there\./,
    );
    await expect(imageFolder('~/no-such-photos')).rejects.toThrow(/'.+no-such-photos', which is not there either\./);
    await expect(imageFolder('no-such-photos')).rejects.not.toThrow(/shell/);
  });

  it.skipIf(process.getuid?.() === 0)('names the folder that cannot be listed', async () => {
    await make('cat/1.jpg');
    await chmod(join(root, 'cat'), 0);
    const listing = imageFolder(root);
    await expect(listing).rejects.toThrow(/expected a folder that can be listed at .*cat, but: EACCES/);
    await chmod(join(root, 'cat'), 0o700);
  });

  it('accepts other file extensions', async () => {
    const options: ImageFolderOptions = { extensions: ['.TIF', 'ppm'] };
    const folder = await imageFolder(await make('cat/1.jpg', 'cat/2.tif', 'dog/3.PPM'), options);
    expect(await idsOf(folder)).toEqual(['cat/2.tif', 'dog/3.PPM']);
    expect(folder.ignored.notImages).toBe(1);
  });

  it('keeps a label without pictures, with a count of 0', async () => {
    const folder = await imageFolder(await make('cat/1.jpg', 'dog/'));
    expect(folder.classCounts).toEqual({ cat: 1, dog: 0 });
  });

  it('follows links, circular ones once', async () => {
    await make('cat/1.jpg', 'elsewhere/2.jpg');
    await mkdir(join(root, 'photos', 'dog'), { recursive: true });
    await symlink(join(root, 'cat'), join(root, 'photos', 'cat'));
    await symlink(join(root, 'elsewhere', '2.jpg'), join(root, 'photos', 'dog', '2.jpg'));
    await symlink(join(root, 'photos', 'dog'), join(root, 'photos', 'dog', 'again'));
    await symlink(join(root, 'nowhere.jpg'), join(root, 'photos', 'dog', 'broken.jpg'));
    expect(await idsOf(await imageFolder(join(root, 'photos')))).toEqual(['cat/1.jpg', 'dog/2.jpg', 'dog/broken.jpg']);
  });

  describe('with given parts', () => {
    it.each([['validation'], ['val'], ['valid'], ['Val']])('finds train, %s and test', async (validation) => {
      const folder = await imageFolder(
        await make(
          'train/cat/1.jpg',
          'train/dog/2.jpg',
          `${validation}/cat/3.jpg`,
          'test/bird/4.jpg',
          'README.md',
          'train/.DS_Store',
        ),
      );
      expect(folder.size).toBe(4);
      expect(folder.labels).toEqual(['bird', 'cat', 'dog']);
      expect(Object.keys(folder.splits).sort()).toEqual(['test', 'train', 'validation']);
      expect(folder.part('train').classCounts).toEqual({ bird: 0, cat: 1, dog: 1 });
      expect(await folder.part('validation').read(0)).toMatchObject({ id: `${validation}/cat/3.jpg`, target: 'cat' });
      expect(folder.part('test').labels).toEqual(['bird', 'cat', 'dog']);
      expect(folder.ignored).toMatchObject({ hidden: 1, notImages: 1, files: ['README.md', 'train/.DS_Store'] });
    });

    it('lists the existing parts', async () => {
      const folder = await imageFolder(await make('train/cat/1.jpg', 'test/cat/2.jpg'));
      expect(() => folder.part('validation')).toThrow(
        /expected a part 'validation' in .*, which has 'test', 'train'|which has 'train', 'test'/,
      );
      expect(() => folder.part('validation')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    });

    it('reports a folder without parts', async () => {
      const folder = await imageFolder(await make('cat/1.jpg'));
      expect(() => folder.part('train')).toThrow(/which has no given parts \(use split\(\) to make some\)/);
    });

    it('lets labels be called train and test', async () => {
      const vehicles = await imageFolder(await make('train/1.jpg', 'bus/2.jpg'));
      expect(vehicles.labels).toEqual(['bus', 'train']);
      await rm(join(root, 'bus'), { recursive: true });
      expect((await imageFolder(await make('test/1.jpg'))).labels).toEqual(['test', 'train']);
    });

    it('refuses two folders for one part', async () => {
      await make('train/cat/1.jpg', 'val/cat/2.jpg', 'validation/cat/3.jpg');
      await expect(imageFolder(root)).rejects.toThrow(
        /one folder for part 'validation' in .*, got val and validation|got validation and val/,
      );
    });
  });

  describe('refuses', () => {
    const cases: [string, string[], string, string, RegExp][] = [
      ['a folder that is not there', [], 'none', 'NOT_FOUND', /expected a folder at .*none, got ENOENT/],
      ['a file', ['cat.jpg'], 'cat.jpg', 'NOT_FOUND', /expected a folder at .*cat\.jpg, got a file/],
      ['an empty folder', [], '', 'NO_EXAMPLES', /expected pictures \(jpg, .*\) in .*\/<label>\/, got none\./],
      ['folders without pictures', ['cat/a.txt', 'dog/'], '', 'NO_EXAMPLES', /got none \(but cat\/a\.txt\)/],
      [
        'pictures without a label',
        ['1.jpg', '2.jpg'],
        '',
        'INVALID_OPTION',
        /one folder for each label, .*\/<label>\/<picture>, got 2 pictures without a label: 1\.jpg, 2\.jpg\. Move each .*cat\/1\.jpg/,
      ],
      [
        'a picture beside the labels',
        ['cat/1.jpg', 'stray.jpg'],
        '',
        'INVALID_OPTION',
        /got 1 picture without a label: stray\.jpg/,
      ],
      [
        'a picture beside the labels of a part',
        ['train/cat/1.jpg', 'train/stray.jpg', 'test/'],
        '',
        'INVALID_OPTION',
        /train\/<label>\/<picture>, got 1 picture without a label: train\/stray\.jpg/,
      ],
    ];
    it.each(cases)('%s', async (_, files, path, code, text) => {
      await make(...files);
      const error: unknown = await imageFolder(join(root, path)).catch((raised: unknown) => raised);
      expect(error).toMatchObject({ code });
      expect((error as Error).message).toMatch(text);
    });

    it('an unknown onUnreadable', async () => {
      const options = { onUnreadable: 'ignore' } as unknown as ImageFolderOptions;
      await expect(imageFolder(root, options)).rejects.toThrow(
        /imageFolder: expected onUnreadable to be 'error' or 'skip'/,
      );
    });
  });
});
