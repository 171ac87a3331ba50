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

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>The directory of a server, into which uploads are put beside it: faster than any client could, and larger.</summary>
internal sealed class PrefilledStore(string directory) : IDisposable
{
    /// <summary>Who asks the server. None of the others is this one's.</summary>
    private const string ClientOwner = "anonymous";

    private const int UploadsPerOwner = 1000;
    private const long Length = 10;

    /// <summary>Its directory, its record, its content and its lock, and its share of the directories above; and what blocks of 4 KiB these take.</summary>
    private const int FilesPerUpload = 5;
    private const int BytesPerUpload = 12 * 1024;

    private static readonly TimeSpan Expiration = TimeSpan.FromDays(7);

    /// <summary>More threads than processors only wait for each other at the disk.</summary>
    private static readonly ParallelOptions OnAllProcessors = new() { MaxDegreeOfParallelism = Environment.ProcessorCount };

    private static readonly byte[] SampleData =
        new EngineRecord { Protocol = "file-id", EngineName = "/upload", Created = TimeProvider.System.GetUtcNow() }.ToBytes().ToArray();

    private readonly StorePaths _paths = new(Path.Combine(directory, "store"));
    private readonly FileSystemUploadStore _store =
        new(new FileSystemUploadStoreOptions { Directory = Path.Combine(directory, "store"), Durability = Durability.ProcessCrash });

    private int _clearCount;

    public ServerProcess Serve() => ServerProcess.Start(new ServeArguments(ServerKind.Ours, directory));

    /// <summary>Why so many cannot be made here, or null.</summary>
    public static string? GetCapacityProblem(long count, string directory)
    {
        (long files, long bytes) = Machine.GetFreeSpace(directory);
        return files >= count * FilesPerUpload && bytes >= count * BytesPerUpload
            ? null
            : $"{count:N0} uploads may take {count * FilesPerUpload:N0} files and {count * BytesPerUpload:N0} bytes, and there is room for {files:N0} and {bytes:N0}; --dir names another place";
    }

    /// <summary>Makes unfinished uploads of many owners.</summary>
    public void Fill(int count)
    {
        Report.WriteProgress($"Making {count:N0} uploads. A million takes some minutes.");
        long start = Stopwatch.GetTimestamp();
        Parallel.For(0, count, OnAllProcessors, number => CreateUpload(new UploadKey($"owner-{number / UploadsPerOwner}", ToUploadId($"{number}")), Length));
        Machine.WaitForWriteback();
        Report.WriteProgress($"Made in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s.");
    }

    /// <summary>Begins an upload of the client, and makes its file as long as if so many bytes had come. These take no room on the disk.</summary>
    public void BeginUpload(string fileId, long length, long held)
    {
        UploadKey key = UploadKeyFactory.FromFileId(ClientOwner, "/upload", Encoding.ASCII.GetBytes(fileId));
        string nonce = CreateUpload(key, length).Version.Split('-')[0];
        using SafeFileHandle data = File.OpenHandle(new UploadFilePaths(_paths.GetUploadDirectory(key), nonce).DataPath, FileMode.Open, FileAccess.Write);
        RandomAccess.SetLength(data, held);
    }

    /// <summary>
    /// Takes away what the client has. It is moved aside: an ext4 without a journal does not use what was deleted in the last minutes, and looks
    /// past all of it for each new file.
    /// </summary>
    public void Clear() => Directory.Move(_paths.GetOwnerDirectory(ClientOwner), Path.Combine(directory, $"aside-{++_clearCount}"));

    public void Dispose()
    {
        Report.WriteProgress("Removing the uploads.");
        Parallel.ForEach(Directory.GetDirectories(_paths.Uploads), OnAllProcessors, static owner => Directory.Delete(owner, recursive: true));
    }

    private static string ToUploadId(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)));

    private UploadInfo CreateUpload(UploadKey key, long length)
    {
        var record = new UploadRecord { Length = length, SlidingExpiration = Expiration, Data = SampleData };
        return _store.CreateAsync(key, record, CancellationToken.None).AsTask().GetAwaiter().GetResult().Info
            ?? throw new InvalidOperationException($"The upload {key} is there already.");
    }
}
