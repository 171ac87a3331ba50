using System.Globalization;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Benchmarks.Servers;

/// <summary>
/// Answers the two requests of a tus upload: the creation creates two files, and the <c>PATCH</c> writes both. There are no guarantees of any kind. With
/// <c>PowerLoss</c>, each request syncs once.
/// </summary>
internal sealed class BareTusServer(ServeArguments arguments)
{
    public const string PathPrefix = "/upload/";
    private const string DataExtension = ".data";
    private const string RecordExtension = ".record";
    private static readonly byte[] Record = new byte[BareServer.RecordLength];
    private readonly FileLayer _files = FileLayer.Default;
    private long _fileCount;

    /// <summary>Returns whether a request creates an upload without content.</summary>
    public static bool IsCreation(HttpRequest request) => request.ContentLength == 0 && request.Headers.ContainsKey("Upload-Length");

    public void Create(HttpContext context)
    {
        string name = "tus-" + Interlocked.Increment(ref _fileCount).ToString(CultureInfo.InvariantCulture);
        _files.CreateFile(GetPath(name, DataExtension)).Dispose();
        using (OpenFile record = _files.CreateFile(GetPath(name, RecordExtension)))
        {
            WriteRecord(record);
            Sync(record);
        }

        context.Response.StatusCode = StatusCodes.Status201Created;
        context.Response.ContentLength = 0;
        context.Response.Headers.Location = PathPrefix + name;
        context.Response.Headers["Tus-Resumable"] = "1.0.0";
    }

    public async Task AppendAsync(HttpContext context)
    {
        string name = Path.GetFileName(context.Request.Path.Value!);
        long offset;
        using (OpenFile data = _files.OpenWrite(GetPath(name, DataExtension)))
        {
            offset = await BareServer.WriteAsync(context, data, 0);
            Sync(data);
        }

        using (OpenFile record = _files.OpenWrite(GetPath(name, RecordExtension)))
        {
            WriteRecord(record);
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        context.Response.Headers["Upload-Offset"] = offset.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["Tus-Resumable"] = "1.0.0";
    }

    private string GetPath(string name, string extension) => Path.Combine(arguments.Directory, name + extension);

    private static void WriteRecord(OpenFile record) => RandomAccess.Write(record.Handle, Record, 0);

    private void Sync(OpenFile file)
    {
        if (arguments.Durability == Durability.PowerLoss)
        {
            _files.Sync(file);
        }
    }
}
