namespace ResumableUploads.Client;

/// <summary>The progress of an upload.</summary>
/// <param name="Offset">The number of bytes that were sent. It is lower than before after a connection is lost, if bytes have not arrived.</param>
/// <param name="Length">The length of the content, or <see langword="null"/> if it is not known yet.</param>
public readonly record struct TransferProgress(long Offset, long? Length);
