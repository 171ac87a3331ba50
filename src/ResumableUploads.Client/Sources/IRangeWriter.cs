namespace ResumableUploads.Client.Sources;

/// <summary>Receives the bytes of a range.</summary>
internal interface IRangeWriter
{
    /// <summary>Writes the next bytes.</summary>
    /// <param name="end">The offset after them.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    ValueTask WriteAsync(long end, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);
}
