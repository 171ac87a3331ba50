using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using ResumableUploads.Abstractions;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>A store directory that is filled without the server, which is faster and allows larger uploads than a client.</summary>
internal sealed class PrefilledStore(string directory) : IDisposable
{
    /// <summary>The owner of the uploads of the measured client. The other uploads belong to other owners.</summary>
    private const string ClientOwner = "anonymous";

    private const int UploadsPerOwner = 1000;
    private const long Length = 10;

    /// <summary>The directory, record, data and lock file of an upload, and its share of the parent directories.</summary>
    private const int FilesPerUpload = 5;
    private const int BytesPerUpload = 12 * 1024;

    private static readonly TimeSpan Expiration = TimeSpan.FromDays(7);

    /// <summary>More threads than processors would only wait for the disk.</summary>
    private static readonly ParallelOptions OnAllProcessors = new() { MaxDegreeOfParallelism = Environment.ProcessorCount };

    private static readonly byte[] SampleData =
        new EngineRecord { Protocol = "file-id", EngineName = "/upload", Created = TimeProvider.System.GetUtcNow() }.ToBytes().ToArray();

    private readonly StorePaths _paths = new(Path.Combine(directory, "store"));
    private readonly FileSystemUploadStore _store =
        new(new FileSystemUploadStoreOptions { Directory = Path.Combine(directory, "store"), Durability = Durability.ProcessCrash });

    private int _clearCount;

    public ServerProcess Serve(ServerKind kind = ServerKind.Ours) => ServerProcess.Start(new ServeArguments(kind, directory));

    /// <summary>Returns why the disk cannot hold the number of uploads, or <see langword="null"/> if it can.</summary>
    public static string? GetCapacityProblem(long count, string directory)
    {
        (long files, long bytes) = Machine.GetFreeSpace(directory);
        return files >= count * FilesPerUpload && bytes >= count * BytesPerUpload
            ? null
            : $"{count:N0} uploads may take {count * FilesPerUpload:N0} files and {count * BytesPerUpload:N0} bytes, and {files:N0} files and {bytes:N0} bytes are free; use --dir to choose another directory";
    }

    /// <summary>Creates incomplete uploads of many owners.</summary>
    public void Fill(int count, int uploadsPerOwner = UploadsPerOwner)
    {
        Report.WriteProgress($"Creating {count:N0} uploads. A million takes some minutes.");
        long start = Stopwatch.GetTimestamp();
        Parallel.For(0, count, OnAllProcessors, number => CreateUpload(new UploadKey($"owner-{number / uploadsPerOwner}", ToUploadId($"{number}")), Length));
        Machine.WaitForWriteback();
        Report.WriteProgress($"Created in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s.");
    }

    /// <summary>Creates an upload of the client with a sparse data file of <paramref name="receivedLength"/> bytes, which uses no disk space.</summary>
    public void CreateClientUpload(string fileId, long length, long receivedLength)
    {
        UploadKey key = UploadKeyFactory.FromFileId(ClientOwner, "127.0.0.1\0/upload", Encoding.ASCII.GetBytes(fileId));
        string nonce = CreateUpload(key, length).Version.Split('-')[0];
        using SafeFileHandle data = File.OpenHandle(new UploadFilePaths(_paths.GetUploadDirectory(key), nonce).DataPath, FileMode.Open, FileAccess.Write);
        RandomAccess.SetLength(data, receivedLength);
    }

    /// <summary>
    /// Removes the uploads of the client from the store. They are moved and not deleted: an ext4 without a journal does not reuse recently
    /// deleted inodes and skips all of them for each new file.
    /// </summary>
    public void Clear() => Directory.Move(_paths.GetOwnerDirectory(ClientOwner), Path.Combine(directory, $"removed-{++_clearCount}"));

    public void Dispose()
    {
        Report.WriteProgress("Deleting the uploads.");
        Parallel.ForEach(Directory.GetDirectories(_paths.Uploads), OnAllProcessors, static owner => Directory.Delete(owner, recursive: true));
    }

    /// <summary>Creates incomplete uploads in the memory of this process.</summary>
    public static MemoryUploadStore CreateInMemory(MemoryUploads uploads, long maxTotalSize)
    {
        var store = new MemoryUploadStore(maxTotalSize);
        for (int number = 0; number < uploads.Count; number++)
        {
            ValueTask<CreateResult> creation = store.CreateAsync(
                new UploadKey($"owner-{number / uploads.PerOwner}", ToUploadId($"{number}")),
                new UploadRecord { Length = Length, SlidingExpiration = Expiration, Data = SampleData },
                CancellationToken.None);
            _ = creation.AsTask().GetAwaiter().GetResult().Info ?? throw new InvalidOperationException("The upload already exists.");
        }

        return store;
    }

    private static string ToUploadId(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)));

    private UploadInfo CreateUpload(UploadKey key, long length)
    {
        var record = new UploadRecord { Length = length, SlidingExpiration = Expiration, Data = SampleData };
        return _store.CreateAsync(key, record, CancellationToken.None).AsTask().GetAwaiter().GetResult().Info
            ?? throw new InvalidOperationException($"The upload {key} already exists.");
    }
}
