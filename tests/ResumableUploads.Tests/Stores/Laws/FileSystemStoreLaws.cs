using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.Tests.Stores.Laws;

public sealed class FileSystemStoreLaws() : FileSystemStoreLawsBase(Durability.Process);

public sealed class FileSystemStoreLawsThroughPowerLoss() : FileSystemStoreLawsBase(Durability.PowerLoss);

public abstract class FileSystemStoreLawsBase(Durability durability) : SharedStorageLaws
{
    private readonly string _directory = Directory.CreateTempSubdirectory("resumable-uploads-laws-").FullName;

    protected override ValueTask<IUploadStore> OpenStoreAsync() => OpenAgainAsync();

    protected override ValueTask<IUploadStore> OpenAgainAsync()
    {
        var options = new FileSystemUploadStoreOptions { Directory = _directory, Durability = durability };
        return ValueTask.FromResult<IUploadStore>(new FileSystemUploadStore(options, Time, logger: null));
    }

    protected override ValueTask RemoveStorageAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }
}
