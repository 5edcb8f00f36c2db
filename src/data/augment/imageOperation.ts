// Operations that change pictures in training, as plain data: what each of them is told.

/** What is seen where an operation looks outside the picture: the picture in a mirror, its nearest pixel, or a gray 0 … 1. */
export type PictureFill = 'reflect' | 'nearest' | number;

/** What each operation is told besides its probability. Pairs are the least and the largest value that is drawn. */
export interface OperationSettings {
  flip: { readonly direction: 'horizontal' | 'vertical' };
  /** Largest shares of the width and the height, 0 … 1. */
  shift: { readonly horizontal: number; readonly vertical: number; readonly fill: PictureFill };
  /** Largest angle to either side, 0 … 180. */
  rotate: { readonly degrees: number; readonly fill: PictureFill };
  /** Factors on the size of what is seen, 0.1 … 10. */
  zoom: { readonly range: readonly [number, number]; readonly fill: PictureFill };
  /** Largest angles of the columns and of the rows to either side, in degrees, 0 … 60. */
  shear: { readonly horizontal: number; readonly vertical: number; readonly fill: PictureFill };
  /** Largest share by which an edge grows and the one opposite shrinks, 0 … 0.5. */
  perspective: { readonly amount: number; readonly fill: PictureFill };
  /** Shares of the area of the picture, 0.01 … 1, and width by height of the part, 0.1 … 10. */
  randomResizedCrop: { readonly area: readonly [number, number]; readonly aspect: readonly [number, number] };
  /** Largest distance of the factor from 1, 0 … 1. */
  brightness: { readonly amount: number };
  contrast: { readonly amount: number };
  saturation: { readonly amount: number };
  /** Largest turn to either side as a share of the circle of colours, 0 … 0.5. */
  hue: { readonly amount: number };
  grayscale: object;
  /** Standard deviations in pixels, 0.1 … 10. */
  blur: { readonly sigma: readonly [number, number] };
  /** Standard deviation where black is 0 and white is 1, 0 … 1. */
  noise: { readonly deviation: number };
  /** As of `randomResizedCrop`; `fill` is a gray 0 … 1. */
  cutout: {
    readonly area: readonly [number, number];
    readonly aspect: readonly [number, number];
    readonly fill: number;
  };
}

/** Name of an operation, and of the function that makes it. */
export type OperationName = keyof OperationSettings;

/**
 * A change of pictures: what it is, what it is told, and how probable it is for each example, 0 … 1. Plain data, made by
 * `flip()`, `rotate()` … and carried out in training.
 */
export type ImageOperation<Name extends OperationName = OperationName> = {
  readonly [N in Name]: { readonly name: N; readonly probability: number } & OperationSettings[N];
}[Name];

/** What may be said about an operation; the rest has defaults. */
export type OperationOptions<Name extends OperationName> = Partial<OperationSettings[Name]> & {
  /** Share of the examples that are changed, 0 … 1. */
  readonly probability?: number;
};

/** Operations that move pixels. */
export type GeometricOperation = ImageOperation<
  'flip' | 'shift' | 'rotate' | 'zoom' | 'shear' | 'perspective' | 'randomResizedCrop'
>;

/** Operations that give each colour another. */
export type ColourOperation = ImageOperation<'brightness' | 'contrast' | 'saturation' | 'hue' | 'grayscale'>;

/** The rest: operations that make pixels of pixels, or of nothing. */
export type PixelOperation = ImageOperation<'blur' | 'noise' | 'cutout'>;
