using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.Testing.Stores;

/// <summary>
/// A memory store whose listings are empty, so that no sweep runs a handler. For tests that count handler runs: on a busy machine, the sweep at start
/// can find the first upload.
/// </summary>
internal sealed class UnsweptStore() : DelegatingUploadStore(new MemoryUploadStore())
{
    public override IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken) => AsyncEnumerable.Empty<UploadInfo>();
}
