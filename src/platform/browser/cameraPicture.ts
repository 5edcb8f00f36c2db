// One picture of a camera: the middle of a frame at the wanted size, mirrored if wished, and as a compressed file.
import { unreadable } from './unreadable.ts';

/** How pictures are taken. */
export interface PictureForm {
  readonly height: number;
  readonly width: number;
  readonly mirror: boolean;
}

/** Between the size of a file and what a network sees: beyond it files grow without any gain in accuracy. */
const quality = 0.9;

/** Has a video element show the part of its frames that pictures have. */
export function styleAsPicture(video: HTMLVideoElement, { height, width, mirror }: PictureForm): void {
  Object.assign(video.style, { aspectRatio: `${width} / ${height}`, objectFit: 'cover' });
  if (mirror) video.style.transform = 'scaleX(-1)';
}

/** Makes the function that draws the current frame of a video, always on the same canvas. */
export function makeCamera(video: HTMLVideoElement, form: PictureForm): () => HTMLCanvasElement {
  const { height, width, mirror } = form;
  const canvas = Object.assign(document.createElement('canvas'), { height, width });
  // What is drawn is read at once, by a network or an encoder.
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  if (context === null) throw unreadable('the camera', `the browser has no canvas of ${width}x${height} pixels`);
  context.imageSmoothingQuality = 'high';
  if (mirror) context.setTransform(-1, 0, 0, 1, width, 0);
  return () => {
    const scale = Math.min(video.videoWidth / width, video.videoHeight / height);
    const [cutWidth, cutHeight] = [width * scale, height * scale];
    const left = (video.videoWidth - cutWidth) / 2;
    const top = (video.videoHeight - cutHeight) / 2;
    context.drawImage(video, left, top, cutWidth, cutHeight, 0, 0, width, height);
    return canvas;
  };
}

/** A canvas as JPEG, which every browser writes. */
export async function toFile(canvas: HTMLCanvasElement, name: string): Promise<File> {
  const type = 'image/jpeg';
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, type, quality);
  });
  if (blob === null) throw unreadable('the camera', 'the browser wrote no JPEG');
  return new File([blob], `${name}.jpg`, { type, lastModified: Date.now() });
}
