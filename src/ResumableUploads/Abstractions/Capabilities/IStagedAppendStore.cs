namespace ResumableUploads.Abstractions;

/// <summary>A store that supports <see cref="AppendMode.AllOrNothing"/>.</summary>
/// <remarks>
/// The content of such an append is passed to <see cref="IUploadStore.AppendAsync"/>. Without this capability, a request with a digest of its body is
/// rejected with status code 413.
/// </remarks>
public interface IStagedAppendStore
{
    /// <summary>Gets the maximum size, in bytes, of one append in this mode, or <see cref="long.MaxValue"/> if there is no limit.</summary>
    long MaxStagedLength { get; }
}
