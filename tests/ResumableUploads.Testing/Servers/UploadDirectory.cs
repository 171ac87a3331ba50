using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.Testing.Servers;

/// <summary>The directory of the file-system store of another process, read by tests. A temporary directory is deleted on disposal.</summary>
public sealed class UploadDirectory : IDisposable
{
    private static readonly TimeSpan LeaseTimeout = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan DeletionTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan DeletionRetryDelay = TimeSpan.FromMilliseconds(50);

    private readonly DirectoryInfo? _own;

    public UploadDirectory()
    {
        _own = Directory.CreateTempSubdirectory("crash-test-");
        Root = Path.Combine(_own.FullName, "uploads");
    }

    /// <param name="root">An existing directory, which is not deleted.</param>
    public UploadDirectory(string root) => Root = root;

    public string Root { get; }

    public string Finished => Path.Combine(Root, "finished");

    /// <summary>Gets the files that the handler has completed.</summary>
    public string[] FinishedFiles => Directory.Exists(Finished) ? Directory.GetFiles(Finished) : [];

    /// <summary>Returns the directory of an upload, which does not have to exist.</summary>
    public string Of(string fileId, string path = "/upload")
    {
        UploadKey key = UploadKeyFactory.FromFileId("anonymous", path == "/upload" ? UploadScopes.OfMiddleware(path) : UploadScopes.OfEndpoint(path), Encoding.Latin1.GetBytes(fileId));
        return Path.Combine(Root, "uploads", key.Owner, key.Id[..2], key.Id);
    }

    public string RecordOf(string fileId) => Path.Combine(Of(fileId), "record.json");

    /// <summary>Returns the data file of an upload, or null if it does not exist.</summary>
    public string? DataOf(string fileId, string path = "/upload") => Find(fileId, "*.data", path);

    public string? MarkOf(string fileId) => Find(fileId, "*.mark");

    /// <summary>Returns the content of the data file, or an empty array if it does not exist.</summary>
    public byte[] BytesOf(string fileId) => DataOf(fileId) is { } path ? File.ReadAllBytes(path) : [];

    /// <summary>Waits until the data file has the given length. A status request would stop the append.</summary>
    public Task HasAsync(string fileId, long length, string path = "/upload") => HasAsync(() => DataOf(fileId, path), length);

    /// <summary>Waits until a number of processes can be asked to release an upload.</summary>
    public Task HasMailboxesAsync(int count)
    {
        string path = Path.Combine(Root, "mailboxes");
        return Eventually.TrueAsync(
            () => Directory.Exists(path) && Directory.GetDirectories(path).Length == count, $"there are {count} mailboxes");
    }

    /// <summary>Waits until the only data file in the directory has the given length.</summary>
    public Task HasSingleAsync(long length) => HasAsync(
        () => Directory.GetFiles(Path.Combine(Root, "uploads"), "*.data", new EnumerationOptions { RecurseSubdirectories = true }).SingleOrDefault(), length);

    /// <summary>
    /// Waits until the lease that the handler of the only upload has now would have ended, and was renewed: three renewals take a lease duration. A machine that
    /// stalls does not end the wait early.
    /// </summary>
    public async Task OutlivesLeaseAsync()
    {
        using var cancellation = new CancellationTokenSource(LeaseTimeout);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        int? last = await GetRenewalsAsync() + 4;
        while (await GetRenewalsAsync() < last)
        {
            Assert.True(await timer.WaitForNextTickAsync(cancellation.Token));
        }
    }

    private async Task<int?> GetRenewalsAsync()
    {
        var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = Root, Durability = Durability.ProcessCrash });
        UploadInfo info = Assert.Single(await store.ListAsync(new UploadQuery(), CancellationToken.None).ToArrayAsync());
        return EngineRecord.From(info).Handler!.Renewals;
    }

    private static async Task HasAsync(Func<string?> find, long length)
    {
        using var cancellation = new CancellationTokenSource(ChildHost.Timeout);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (find() is not { } file || new FileInfo(file).Length < length)
        {
            Assert.True(await timer.WaitForNextTickAsync(cancellation.Token));
        }
    }

    /// <summary>Returns how many times the handler has started for an upload.</summary>
    public int RunsOf(string fileName) =>
        Directory.Exists(Path.Combine(Root, "runs")) ? Directory.GetFiles(Path.Combine(Root, "runs"), fileName + ".*").Length : 0;

    /// <summary>Asserts that an upload was completed exactly once, with the given content.</summary>
    public void AssertFinished(string fileName, byte[] content)
    {
        string stem = Path.GetFileNameWithoutExtension(fileName);
        string path = Assert.Single(Directory.GetFiles(Finished, stem + "*"));
        Assert.Equal(fileName, Path.GetFileName(path));
        Assert.Equal(
            Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(content)),
            Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path))));
    }

    /// <summary>Deletes a temporary directory. The deletion is retried, because a process or a handler that is ending may still create files.</summary>
    public void Dispose()
    {
        if (_own is not null)
        {
            Delete(_own.FullName);
        }
    }

    /// <summary>Deletes a directory. The deletion is retried for a time, because the code under test may still be creating files.</summary>
    public static void Delete(string directory)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                Directory.Delete(directory, recursive: true);
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException && Directory.Exists(directory) && TimeProvider.System.GetElapsedTime(start) < DeletionTimeout)
            {
                Task.Delay(DeletionRetryDelay, TimeProvider.System).Wait();
            }
        }
    }

    private string? Find(string fileId, string pattern, string path = "/upload") =>
        Directory.Exists(Of(fileId, path)) ? Directory.GetFiles(Of(fileId, path), pattern).SingleOrDefault() : null;
}
