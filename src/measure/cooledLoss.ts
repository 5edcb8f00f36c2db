// The loss of a model at the temperature that suits it: a figure that does not punish overconfidence, which fine-tuning
// adds and a temperature removes.
import type { HeadPart } from '../model/model.ts';
import { calibrationFigures, isCalibrated } from './logitTemperature.ts';
import { ofHead, type Measurement } from './measure.ts';

const temperatures = [1, 1.5, 2, 3, 4, 6];

/**
 * The lowest loss over temperatures from 1 to 6, summed over the heads. A head without probabilities has its loss as it is.
 *
 * Guo et al., "On Calibration of Modern Neural Networks", 2017, section 4.2.
 */
export function cooledLoss(measured: Measurement, parts: readonly HeadPart[]): number {
  return parts.reduce((sum, part) => {
    const own = ofHead(measured, parts, part);
    if (!isCalibrated(part)) return sum + own.loss;
    return sum + Math.min(...temperatures.map((each) => calibrationFigures(part.task, own.judgements, each).loss));
  }, 0);
}
