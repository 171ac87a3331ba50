using System.Globalization;
using ResumableUploads.Benchmarks.Measuring;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>The requests of a protocol. A resource identifies an upload in later requests: it is a file id or the path of a URL.</summary>
internal abstract record UploadProtocol(string Name)
{
    public static readonly UploadProtocol FileId = new FileIdRequests();
    public static readonly UploadProtocol Tus = new TusRequests();
    public static readonly UploadProtocol Ietf = new IetfRequests();
    private static int s_names;

    public static string NewName() => Interlocked.Increment(ref s_names).ToString(CultureInfo.InvariantCulture);

    /// <summary>Returns the head of a request that creates an upload and may send its first bytes.</summary>
    public abstract byte[] Create(string name, long size, long content);

    /// <summary>Returns the head of a request that appends bytes.</summary>
    public abstract byte[] Append(string resource, long offset, long content, long size);

    public abstract byte[] Status(string resource);

    public abstract byte[] Cancel(string resource);

    /// <summary>Returns the resource of an upload.</summary>
    public virtual string GetResource(string name, RawHttpResponse response) =>
        response.Location is { } location ? new Uri(new Uri("http://localhost"), location).AbsolutePath : throw new InvalidOperationException("The response has no Location.");

    private sealed record FileIdRequests() : UploadProtocol("file-id")
    {
        public override byte[] Create(string name, long size, long content) =>
            RawHttpConnection.CreateRequestHead("POST /upload", $"X-File-Id: {name}", $"X-File-Size: {size}", $"Content-Length: {content}");

        public override byte[] Append(string resource, long offset, long content, long size) =>
            RawHttpConnection.CreateRequestHead("POST /upload", $"X-File-Id: {resource}", $"X-Start-Byte: {offset}", $"X-File-Size: {size}", $"Content-Length: {content}");

        public override byte[] Status(string resource) => RawHttpConnection.CreateRequestHead("GET /status", $"X-File-Id: {resource}");

        public override byte[] Cancel(string resource) => RawHttpConnection.CreateRequestHead("DELETE /upload", $"X-File-Id: {resource}");

        public override string GetResource(string name, RawHttpResponse response) => name;
    }

    private sealed record TusRequests() : UploadProtocol("tus")
    {
        private const string Version = "Tus-Resumable: 1.0.0";
        private const string Type = "Content-Type: application/offset+octet-stream";

        public override byte[] Create(string name, long size, long content) => content == 0
            ? RawHttpConnection.CreateRequestHead("POST /upload", Version, $"Upload-Length: {size}", "Content-Length: 0")
            : RawHttpConnection.CreateRequestHead("POST /upload", Version, $"Upload-Length: {size}", Type, $"Content-Length: {content}");

        public override byte[] Append(string resource, long offset, long content, long size) =>
            RawHttpConnection.CreateRequestHead("PATCH " + resource, Version, $"Upload-Offset: {offset}", Type, $"Content-Length: {content}");

        public override byte[] Status(string resource) => RawHttpConnection.CreateRequestHead("HEAD " + resource, Version);

        public override byte[] Cancel(string resource) => RawHttpConnection.CreateRequestHead("DELETE " + resource, Version);
    }

    private sealed record IetfRequests() : UploadProtocol("IETF")
    {
        public override byte[] Create(string name, long size, long content) =>
            RawHttpConnection.CreateRequestHead("POST /upload", Complete(size == content), $"Upload-Length: {size}", $"Content-Length: {content}");

        public override byte[] Append(string resource, long offset, long content, long size) => RawHttpConnection.CreateRequestHead(
            "PATCH " + resource, Complete(offset + content == size), $"Upload-Offset: {offset}", "Content-Type: application/partial-upload", $"Content-Length: {content}");

        public override byte[] Status(string resource) => RawHttpConnection.CreateRequestHead("HEAD " + resource);

        public override byte[] Cancel(string resource) => RawHttpConnection.CreateRequestHead("DELETE " + resource);

        private static string Complete(bool isLast) => isLast ? "Upload-Complete: ?1" : "Upload-Complete: ?0";
    }
}
