using System.Globalization;
using ResumableUploads.Benchmarks.Measuring;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>How a client writes its requests. An upload's place is what a later request names it by: a file id, or a URL's path.</summary>
internal abstract record UploadProtocol(string Name)
{
    public static readonly UploadProtocol FileId = new FileIdRequests();
    public static readonly UploadProtocol Tus = new TusRequests();
    public static readonly UploadProtocol Ietf = new IetfRequests();
    private static int s_names;

    public static string NewName() => Interlocked.Increment(ref s_names).ToString(CultureInfo.InvariantCulture);

    /// <summary>The head of a request that makes an upload and sends its first bytes, or none.</summary>
    public abstract byte[] Create(string name, long size, long content);

    /// <summary>The head of a request that sends more.</summary>
    public abstract byte[] Append(string place, long offset, long content, long size);

    public abstract byte[] Status(string place);

    public abstract byte[] Cancel(string place);

    /// <summary>What later requests name the upload by.</summary>
    public virtual string GetResource(string name, RawHttpResponse answer) =>
        answer.Location is { } location ? new Uri(new Uri("http://localhost"), location).AbsolutePath : throw new InvalidOperationException("The answer has no Location.");

    private sealed record FileIdRequests() : UploadProtocol("file-id")
    {
        public override byte[] Create(string name, long size, long content) =>
            RawHttpConnection.CreateRequestHead("POST /upload", $"X-File-Id: {name}", $"X-File-Size: {size}", $"Content-Length: {content}");

        public override byte[] Append(string place, long offset, long content, long size) =>
            RawHttpConnection.CreateRequestHead("POST /upload", $"X-File-Id: {place}", $"X-Start-Byte: {offset}", $"X-File-Size: {size}", $"Content-Length: {content}");

        public override byte[] Status(string place) => RawHttpConnection.CreateRequestHead("GET /status", $"X-File-Id: {place}");

        public override byte[] Cancel(string place) => RawHttpConnection.CreateRequestHead("DELETE /upload", $"X-File-Id: {place}");

        public override string GetResource(string name, RawHttpResponse answer) => name;
    }

    private sealed record TusRequests() : UploadProtocol("tus")
    {
        private const string Version = "Tus-Resumable: 1.0.0";
        private const string Type = "Content-Type: application/offset+octet-stream";

        public override byte[] Create(string name, long size, long content) => content == 0
            ? RawHttpConnection.CreateRequestHead("POST /upload", Version, $"Upload-Length: {size}", "Content-Length: 0")
            : RawHttpConnection.CreateRequestHead("POST /upload", Version, $"Upload-Length: {size}", Type, $"Content-Length: {content}");

        public override byte[] Append(string place, long offset, long content, long size) =>
            RawHttpConnection.CreateRequestHead("PATCH " + place, Version, $"Upload-Offset: {offset}", Type, $"Content-Length: {content}");

        public override byte[] Status(string place) => RawHttpConnection.CreateRequestHead("HEAD " + place, Version);

        public override byte[] Cancel(string place) => RawHttpConnection.CreateRequestHead("DELETE " + place, Version);
    }

    private sealed record IetfRequests() : UploadProtocol("IETF")
    {
        public override byte[] Create(string name, long size, long content) =>
            RawHttpConnection.CreateRequestHead("POST /upload", Complete(size == content), $"Upload-Length: {size}", $"Content-Length: {content}");

        public override byte[] Append(string place, long offset, long content, long size) => RawHttpConnection.CreateRequestHead(
            "PATCH " + place, Complete(offset + content == size), $"Upload-Offset: {offset}", "Content-Type: application/partial-upload", $"Content-Length: {content}");

        public override byte[] Status(string place) => RawHttpConnection.CreateRequestHead("HEAD " + place);

        public override byte[] Cancel(string place) => RawHttpConnection.CreateRequestHead("DELETE " + place);

        private static string Complete(bool isLast) => isLast ? "Upload-Complete: ?1" : "Upload-Complete: ?0";
    }
}
