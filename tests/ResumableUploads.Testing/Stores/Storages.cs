using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.Memory;
using ResumableUploads.TestKit;

namespace ResumableUploads.Testing.Stores;

/// <summary>Creates memory stores, optionally wrapped by the test.</summary>
internal sealed class MemoryStorage(Func<IUploadStore, IUploadStore>? wrap = null) : StoreFixture
{
    public override ValueTask<IUploadStore> OpenStoreAsync(TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        var store = new MemoryUploadStore(timeProvider: timeProvider);
        return ValueTask.FromResult(wrap?.Invoke(store) ?? store);
    }
}

/// <summary>Creates file-system stores in a temporary directory, optionally wrapped by the test.</summary>
internal sealed class FileStorage(Durability durability, Func<IUploadStore, IUploadStore>? wrap = null) : StoreFixture
{
    private readonly string _directory = Directory.CreateTempSubdirectory("resumable-uploads-laws-").FullName;

    public override ValueTask<IUploadStore> OpenStoreAsync(TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        var options = new FileSystemUploadStoreOptions { Directory = _directory, Durability = durability };
        var store = new FileSystemUploadStore(options, timeProvider, logger: null);
        return ValueTask.FromResult(wrap?.Invoke(store) ?? store);
    }

    public override async ValueTask DisposeAsync()
    {
        await TemporaryDirectory.DeleteAsync(_directory);
        await base.DisposeAsync();
    }
}
