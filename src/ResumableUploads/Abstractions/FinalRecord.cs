namespace ResumableUploads.Abstractions;

/// <summary>The record of an upload that has all its bytes, for a store that writes it together with the last of them.</summary>
/// <param name="Record">The record. Its state is not <see cref="UploadState.Receiving"/>.</param>
/// <param name="IsDeferrable">
/// Whether the record may become durable later, like that of <see cref="IDeferredSyncStore.UpdateDeferredAsync"/>. The bytes of the append must be durable
/// in any case.
/// </param>
public readonly record struct FinalRecord(UploadRecord Record, bool IsDeferrable);
