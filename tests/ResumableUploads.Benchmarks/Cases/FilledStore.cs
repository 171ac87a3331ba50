using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;
using ResumableUploads.Engine;
using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>The directory of a server, into which uploads are put beside it: faster than any client could, and larger.</summary>
internal sealed class FilledStore(string directory) : IDisposable
{
    /// <summary>Who asks the server. None of the others is this one's.</summary>
    private const string Client = "anonymous";

    private const int UploadsPerOwner = 1000;
    private const long Length = 10;

    /// <summary>Its directory, its record, its content and its lock, and its share of the directories above; and what blocks of 4 KiB these take.</summary>
    private const int FilesEach = 5;
    private const int BytesEach = 12 * 1024;

    private static readonly TimeSpan Expiration = TimeSpan.FromDays(7);

    /// <summary>More threads than processors only wait for each other at the disk.</summary>
    private static readonly ParallelOptions OnAllProcessors = new() { MaxDegreeOfParallelism = Environment.ProcessorCount };

    private static readonly byte[] DataOfOne =
        new UploadData { Protocol = "file-id", Endpoint = "/upload", Created = TimeProvider.System.GetUtcNow() }.ToBytes().ToArray();

    private readonly UploadPaths _paths = new(Path.Combine(directory, "store"));
    private readonly FileSystemUploadStore _store =
        new(new FileSystemUploadStoreOptions { Directory = Path.Combine(directory, "store"), Durability = Durability.Process });

    private int _aside;

    public ServerProcess Serve() => ServerProcess.Start(new ServeArguments(ServerKind.Ours, directory));

    /// <summary>Why so many cannot be made here, or null.</summary>
    public static string? WhyNoRoomFor(long count, string directory)
    {
        (long files, long bytes) = Machine.RoomAt(directory);
        return files >= count * FilesEach && bytes >= count * BytesEach
            ? null
            : $"{count:N0} uploads may take {count * FilesEach:N0} files and {count * BytesEach:N0} bytes, and there is room for {files:N0} and {bytes:N0}; --dir names another place";
    }

    /// <summary>Makes unfinished uploads of many owners.</summary>
    public void Fill(int count)
    {
        Report.Say($"Making {count:N0} uploads. A million takes some minutes.");
        long start = Stopwatch.GetTimestamp();
        Parallel.For(0, count, OnAllProcessors, number => Make(new UploadKey($"owner-{number / UploadsPerOwner}", Id($"{number}")), Length));
        Machine.Settle();
        Report.Say($"Made in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s.");
    }

    /// <summary>Begins an upload of the client, and makes its file as long as if so many bytes had come. These take no room on the disk.</summary>
    public void Begin(string fileId, long length, long held)
    {
        UploadKey key = UploadKeys.FromFileId(Client, "/upload", Encoding.ASCII.GetBytes(fileId));
        string nonce = Make(key, length).Version.Split('-')[0];
        using SafeFileHandle data = File.OpenHandle(new UploadFiles(_paths.Upload(key), nonce).Data, FileMode.Open, FileAccess.Write);
        RandomAccess.SetLength(data, held);
    }

    /// <summary>
    /// Takes away what the client has. It is moved aside: an ext4 without a journal does not use what was deleted in the last minutes, and looks
    /// past all of it for each new file.
    /// </summary>
    public void Clear() => Directory.Move(_paths.Owner(Client), Path.Combine(directory, $"aside-{++_aside}"));

    public void Dispose()
    {
        Report.Say("Removing the uploads.");
        Parallel.ForEach(Directory.GetDirectories(_paths.Uploads), OnAllProcessors, static owner => Directory.Delete(owner, recursive: true));
    }

    private static string Id(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)));

    private UploadInfo Make(UploadKey key, long length)
    {
        var record = new UploadRecord { Length = length, SlidingExpiration = Expiration, Data = DataOfOne };
        return _store.CreateAsync(key, record, CancellationToken.None).AsTask().GetAwaiter().GetResult().Info
            ?? throw new InvalidOperationException($"The upload {key} is there already.");
    }
}
