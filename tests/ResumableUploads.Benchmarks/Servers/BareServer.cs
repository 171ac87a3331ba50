using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Benchmarks.Servers;

/// <summary>
/// An upload server without resumption: it writes bodies from Kestrel's pipe to a file with gathered writes. A status request reads a small
/// file and the length of another one. There are no guarantees of any kind. With <c>PowerLoss</c>, <c>/file</c> and <c>/append</c> sync once.
/// </summary>
internal sealed class BareServer(ServeArguments arguments)
{
    public const int RecordLength = 300;
    private const int SmallSize = 64 * 1024;
    private static readonly byte[] Record = new byte[RecordLength];
    private readonly SyncThreads _threads = new();
    private readonly BareTusServer _tus = new(arguments);
    private readonly FileLayer _files = FileLayer.Default;
    private readonly string _statusRecord = Path.Combine(arguments.Directory, "status.record");
    private readonly string _statusData = Path.Combine(arguments.Directory, "status.data");
    private long _fileCount;

    public Task InvokeAsync(HttpContext context, RequestDelegate next) => context.Request.Path.Value switch
    {
        "/status" => StatusAsync(context),
        "/file" => ReplaceFileAsync(context),
        "/append" => AppendAsync(context),
        "/upload" when BareTusServer.IsCreation(context.Request) => Create(context),
        { } path when path.StartsWith(BareTusServer.PathPrefix, StringComparison.Ordinal) => _tus.AppendAsync(context),
        "/upload" => arguments.Kind switch
        {
            ServerKind.CopyTo => CopyAsync(context),
            ServerKind.Discard => DiscardAsync(context),
            _ => ReceiveAsync(context, withRecord: context.Request.ContentLength <= SmallSize),
        },
        _ => next(context),
    };

    /// <summary>Creates the two files for status requests.</summary>
    public static void PrepareStatus(string directory, long length)
    {
        File.WriteAllBytes(Path.Combine(directory, "status.record"), Record);
        using FileStream data = File.Create(Path.Combine(directory, "status.data"));
        data.SetLength(length);
    }

    private Task Create(HttpContext context)
    {
        _tus.Create(context);
        return Task.CompletedTask;
    }

    private Task StatusAsync(HttpContext context)
    {
        byte[] record = ArrayPool<byte>.Shared.Rent(RecordLength);
        using (Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(_statusRecord))
        {
            RandomAccess.Read(file, record.AsSpan(0, RecordLength), 0);
        }

        ArrayPool<byte>.Shared.Return(record);
        return context.WriteNumberAsync(new FileInfo(_statusData).Length);
    }

    private async Task CopyAsync(HttpContext context)
    {
        string path = Path.Combine(arguments.Directory, Interlocked.Increment(ref _fileCount).ToString("D"));
        long length;
        await using (FileStream file = File.Create(path))
        {
            await context.Request.Body.CopyToAsync(file, context.RequestAborted);
            length = file.Position;
        }

        await context.WriteNumberAsync(length);
    }

    private static async Task DiscardAsync(HttpContext context)
    {
        PipeReader reader = context.Request.BodyReader;
        long length = 0;
        ReadResult result;
        do
        {
            result = await reader.ReadAsync();
            length += result.Buffer.Length;
            reader.AdvanceTo(result.Buffer.End);
        }
        while (!result.IsCompleted);
        await context.WriteNumberAsync(length);
    }

    /// <summary>Writes a file under a temporary name, syncs it, and renames it.</summary>
    private async Task ReplaceFileAsync(HttpContext context)
    {
        string path = Path.Combine(arguments.Directory, Interlocked.Increment(ref _fileCount).ToString("D"));
        long length;
        using (OpenFile file = _files.CreateFile(path + ".part"))
        {
            length = await WriteAsync(context, file, 0);
            Sync(file);
        }

        File.Move(path + ".part", path);
        await context.WriteNumberAsync(length);
    }

    /// <summary>Writes a chunk to the file of its client, and syncs it on another thread: on threads of the pool, a slow disk would stop all requests.</summary>
    private async Task AppendAsync(HttpContext context)
    {
        IHeaderDictionary headers = context.Request.Headers;
        string path = Path.Combine(arguments.Directory, Path.GetFileName(headers["X-File-Id"].ToString()) + ".chunks");
        long start = long.Parse(headers["X-Start-Byte"].ToString(), CultureInfo.InvariantCulture);
        using OpenFile file = start == 0 ? _files.CreateFile(path) : _files.OpenWrite(path);
        long end = await WriteAsync(context, file, start);
        await _threads.RunAsync(() => Sync(file));
        await context.WriteNumberAsync(end);
    }

    private void Sync(OpenFile file)
    {
        if (arguments.Durability == Durability.PowerLoss)
        {
            _files.Sync(file);
        }
    }

    /// <summary>Writes a body to a file. Returns the offset after the last byte.</summary>
    internal static async Task<long> WriteAsync(HttpContext context, OpenFile file, long offset)
    {
        PipeReader reader = context.Request.BodyReader;
        ReadResult result;
        do
        {
            result = await reader.ReadAsync();
            foreach (ReadOnlyMemory<byte> segment in result.Buffer)
            {
                RandomAccess.Write(file.Handle, segment.Span, offset);
                offset += segment.Length;
            }

            reader.AdvanceTo(result.Buffer.End);
        }
        while (!result.IsCompleted);
        return offset;
    }

    private async Task ReceiveAsync(HttpContext context, bool withRecord)
    {
        string name = Path.Combine(arguments.Directory, Interlocked.Increment(ref _fileCount).ToString("D"));
        using OpenFile file = _files.CreateFile(name + ".data");
        PipeReader reader = context.Request.BodyReader;
        var segments = new List<ReadOnlyMemory<byte>>();
        long offset = 0;
        while (true)
        {
            ReadResult result = await reader.ReadAsync();
            foreach (ReadOnlyMemory<byte> segment in result.Buffer)
            {
                segments.Add(segment);
            }

            if (segments.Count > 0)
            {
                RandomAccess.Write(file.Handle, segments, offset);
                segments.Clear();
            }

            offset += result.Buffer.Length;
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                break;
            }
        }

        Sync(file);
        if (withRecord)
        {
            using OpenFile record = _files.CreateFile(name + ".record");
            RandomAccess.Write(record.Handle, Record, 0);
        }

        await context.WriteNumberAsync(offset);
    }
}
