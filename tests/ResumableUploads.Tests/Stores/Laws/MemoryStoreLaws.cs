using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.Tests.Stores.Laws;

public sealed class MemoryStoreLaws : UploadStoreLaws
{
    protected override ValueTask<IUploadStore> OpenStoreAsync() =>
        ValueTask.FromResult<IUploadStore>(new MemoryUploadStore(timeProvider: Time));
}
