using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Appending;

/// <summary>An attempt to write the record of an upload that has all its bytes.</summary>
/// <param name="EngineRecord">The engine's data in the record, with the lease of the completion handler, if there is one.</param>
/// <param name="Final">The record.</param>
/// <param name="CountNumber">The number of the quota's count from before the record is written.</param>
internal sealed record FinishAttempt(EngineRecord EngineRecord, FinalRecord Final, long CountNumber);
