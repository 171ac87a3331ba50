namespace ResumableUploads.Abstractions;

/// <summary>A store that supports <see cref="AppendMode.AllOrNothing"/>.</summary>
/// <remarks>Without this capability, a request with a digest of its body is rejected with status code 413.</remarks>
public interface IStagedAppendStore
{
    /// <summary>Gets the maximum size, in bytes, of one such append, or <see cref="long.MaxValue"/> if there is no limit.</summary>
    long MaxStagedLength { get; }
}
