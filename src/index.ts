// The main door: everything that works the same in Node and browsers.
export type { CheckpointStore } from './core/checkpointStore.ts';
export type { ImageOperation, OperationName } from './data/augment/operations.ts';
export type { AugmentPreset } from './data/augment/presetOperations.ts';
export { isTransferKitError, TransferKitError } from './core/errors.ts';
export type { CameraProblem, ErrorCode, ErrorDetails } from './core/errorDetails.ts';
export type { TransferKitErrorOf } from './core/errors.ts';
export type { Json, JsonObject } from './core/json.ts';
export type { HostTensor, Picture } from './core/picture.ts';
export type { BinaryAddress, DownloadOptions, DownloadProgress } from './core/platform.ts';
export type {
  AnyModel,
  Base,
  CustomSpec,
  Head,
  HeadPart,
  ImageMode,
  ImageSpec,
  LabelsOf,
  LoadedModel,
  Preprocessor,
  PreprocessorSpec,
  Tasks,
  TensorInputSpec,
  TransferModel,
  WeightsReport,
  WrongShape,
} from './model/model.ts';
export type { Predicted, Prediction, RankingOptions } from './model/predictions.ts';
export type {
  BlendLog,
  BlendTrial,
  ChosenOn,
  EpochLog,
  EpochReport,
  HeadFigures,
  Monitor,
  SolverBound,
  SolverLog,
  TrainingLog,
} from './core/logs.ts';
export type {
  BlockedOperation,
  FixedConstant,
  FoldedPart,
  HeadTarget,
  LayerDescription,
  LayerNetwork,
  LayersTrunk,
  MovedStatistic,
  OnUnreadable,
  Progress,
  RunOptions,
  Sample,
  Samples,
  Shape,
  SplitOptions,
  Stage,
  StageRange,
  Target,
  TensorSpec,
  Trunk,
  TrunkWeight,
  Unreadable,
  WeightKind,
  WrittenNodes,
} from './core/types.ts';
export type { LayerCall, LayerGraph, LayerSpec, NodeSpec, TensorRef } from './core/graphs.ts';
export { compare } from './compare.ts';
export type { CompareOptions, Comparison, ComparisonCurve, ComparisonRow, Contestant } from './compare.ts';
export type { ExampleLearner } from './neighbours/exampleLearner.ts';
export { blend } from './blend.ts';
export type { BlendOptions } from './training/options/blendOptions.ts';
export { calibrate } from './calibrate.ts';
export type { CalibrateOptions, Calibration, CalibrationOf } from './calibrate.ts';
export { defineSamples } from './data/samples/defineSamples.ts';
export type { SamplesDefinition } from './data/samples/defineSamples.ts';
export type { GivenLabels } from './data/samples/targetRecords.ts';
export { fromArrays } from './data/samples/fromArrays.ts';
export type { ArraysOptions } from './data/samples/fromArrays.ts';
export { fromIterable } from './data/samples/fromIterable.ts';
export type { IterableExample, IterableOptions } from './data/samples/fromIterable.ts';
export { fromTensors } from './data/samples/fromTensors.ts';
export type { TensorsOptions } from './data/samples/fromTensors.ts';
export { evaluate } from './evaluate.ts';
export type {
  ClassEvaluation,
  EvaluateOptions,
  EvaluationBase,
  EvaluationOf,
  MultiLabelEvaluation,
  RegressionEvaluation,
  SeveralEvaluation,
} from './evaluate.ts';
export { findLearningRate } from './findLearningRate.ts';
export type { FindLearningRateOptions } from './findLearningRate.ts';
export { fineTune } from './fineTune.ts';
export type { FineTuneOptions, UnfreezeStep } from './training/options/fineTuneOptions.ts';
export type { FineTuneLog, FineTuneSettings } from './training/options/plainSettings.ts';
export type { Effort } from './training/options/usualSettings.ts';
export { freeze, unfreeze } from './freeze.ts';
export type { FreezeReport, FreezeSelection } from './model/freezing.ts';
export type { Pooling } from './heads/buildHead.ts';
export { knn } from './knn.ts';
export type { KnnOptions } from './knn.ts';
export { loadBase } from './loadBase.ts';
export type { BaseSource, LoadBaseOptions } from './loadBase.ts';
export type { PreprocessOption } from './bases/choosePreprocessor.ts';
export type { PresetOptions } from './bases/loadPreset.ts';
export type { PresetName } from './presets/presetTable.ts';
export { nearestCentroid } from './nearestCentroid.ts';
export type { NearestCentroidOptions } from './nearestCentroid.ts';
export type { AddedExamples, AddOptions } from './neighbours/addSamples.ts';
export type { ExampleClassifier } from './neighbours/exampleClassifier.ts';
export type { ExampleOrigin, ExampleSet, SavedExample } from './neighbours/exampleSet.ts';
export type { Distance } from './neighbours/separation.ts';
export type { VoteWeights } from './neighbours/votes.ts';
export { predict } from './predict.ts';
export type { PredictOptions } from './predict.ts';
export type { ViewOptions } from './measure/viewOptions.ts';
export { defineBase } from './bases/defineBase.ts';
export type { BaseDefinition } from './bases/defineBase.ts';
export { defineTrunk } from './networks/trunks/defineTrunk.ts';
export type { StageDefinition, TrunkDefinition, WeightDefinition } from './networks/trunks/defineTrunk.ts';
export { definePreprocessor } from './data/preprocess/definePreprocessor.ts';
export type { PreprocessorDefinition } from './data/preprocess/definePreprocessor.ts';
export { imagePreprocessor } from './data/preprocess/image.ts';
export type { Channels, PictureLimits } from './core/pictureLimits.ts';
export type { BytesSource, ImageInput, ImagePreprocessor, PictureElement } from './data/preprocess/image.ts';
export type { NestedNumbers } from './data/preprocess/nestedValues.ts';
export { tensorPreprocessor } from './data/preprocess/tensor.ts';
export type { TensorInput, TensorPreprocessor } from './data/preprocess/tensor.ts';
export { previewAugmentation } from './previewAugmentation.ts';
export type { AugmentationPreview, PreviewAugmentationOptions } from './previewAugmentation.ts';
export { replaceHead } from './replaceHead.ts';
export type {
  HeadLayers,
  HeadOptions,
  HeadQuestion,
  NamedHead,
  SeveralHeadsOptions,
  TasksOf,
  Unmixed,
} from './replaceHead.ts';
export { load } from './load.ts';
export type { LoadOptions } from './load.ts';
export type { NonFiniteWeights } from './bases/finiteWeights.ts';
export { save } from './save.ts';
export { writeBase } from './writeBase.ts';
export type { WriteBaseOptions, WrittenBase } from './writeBase.ts';
export { exportModel } from './exportModel.ts';
export type { ExportedModel, ExportFormat, ExportOptions } from './exportModel.ts';
export type { FileTarget } from './export/exportFile.ts';
export type { ExportFigures, MeasuredExport } from './export/measureExport.ts';
export { zipBlob } from './zipBlob.ts';
export { suggestCut } from './suggestCut.ts';
export type { CutFigures, CutReport, SuggestCutOptions } from './suggestCut.ts';
export type { AugmentOption } from './data/augment/augment.ts';
export type { Augmentation } from './data/augment/changeEach.ts';
export type { CheckpointOptions } from './training/options/checkpointOptions.ts';
export { focalLoss } from './losses/focalLoss.ts';
export type { FocalLossOptions } from './losses/focalLoss.ts';
export type { Loss } from './losses/loss.ts';
export type { LabelFigures, RegressionFigures } from './model/tasks/metrics.ts';
export type { DecisionFigures, OneLabelFigures, Mistake } from './model/tasks/oneLabel.ts';
export type { Baselines, LabelPrediction, ValuePrediction } from './model/tasks/task.ts';
export type { MultiLabelFigures } from './model/tasks/multiLabel.ts';
export type { OrdinalFigures } from './model/tasks/ordinal.ts';
export type { OutputsFigures } from './model/tasks/regression.ts';
export type {
  CalibratedTask,
  FiguresOf,
  LossName,
  PredictionOf,
  TaskName,
  ThresholdTask,
  ValueTask,
} from './model/tasks/tasks.ts';
export type { Optimizer, OptimizerStep } from './training/optimizers/optimizer.ts';
export type { OptimizerName } from './training/optimizers/optimizers.ts';
export type { AdaptiveSchedule, Schedule, ScheduleFunction } from './training/schedules/schedule.ts';
export type { ScheduleName, ScheduleSettings } from './training/schedules/schedules.ts';
export type { AveragingOptions } from './training/options/averagingOptions.ts';
export type { FeatureCacheOptions } from './features/cacheOptions.ts';
export type { Clipping } from './training/optimizers/clipping.ts';
export type { LossOption } from './losses/headRules.ts';
export type { TrainingOptions } from './training/options/options.ts';
export type { LearningRateCurve, SweepOptions } from './training/run/sweepRates.ts';
export type { LearningRates } from './training/options/rates.ts';
export type { SolverName, SolverOptions, TrainHeadOptions } from './training/options/trainHeadOptions.ts';
export type { EarlyStoppingOptions } from './training/options/watchOptions.ts';
export type { CalibrationFigures } from './measure/logitTemperature.ts';
export { huberLoss } from './losses/regressionLosses.ts';
export type { HuberLossOptions } from './losses/regressionLosses.ts';
export type { TapPooling } from './features/tapFeatures.ts';
export type { ThresholdMetric } from './measure/thresholds.ts';
export { toGraphModel } from './toGraphModel.ts';
export { trainHead } from './trainHead.ts';
export type { LayerSelection } from './model/selectWeights.ts';
export { tuneThresholds } from './tuneThresholds.ts';
export type { LabelThreshold, ThresholdsOf, TuneThresholdsOptions } from './tuneThresholds.ts';
export { useBackend } from './useBackend.ts';
export type { BackendReport, UseBackendOptions } from './useBackend.ts';
export type { ChoiceOptions, KernelOptions } from './engines/backends/completion.ts';
export type { WeightModule } from './formats/tfjs/weightModule.ts';
