using System.Text;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FaultTests.Nodes;

/// <summary>The requests of one protocol, as request line and headers.</summary>
internal abstract class WireProtocol
{
    public static WireProtocol Of(string protocol) => protocol switch
    {
        ProtocolClient.FileId => new FileIdProtocol(),
        ProtocolClient.Tus => new TusProtocol(),
        _ => new IetfProtocol(),
    };

    /// <summary>Gets the URL of every upload, or null if the response to its creation contains it.</summary>
    public virtual string? KnownUrl => null;

    /// <summary>Gets the response header with the offset.</summary>
    public virtual string OffsetHeader => "Upload-Offset";

    /// <summary>Returns whether a response says that the upload is complete.</summary>
    /// <param name="response">The response.</param>
    /// <param name="isWhole">Whether its offset is the length of the upload.</param>
    public virtual bool IsComplete(RawResponse response, bool isWhole) => response.Header("X-Upload-Complete") == "true";

    /// <summary>Returns the request that creates an upload with its first bytes.</summary>
    public abstract (string Line, string[] Headers) Create(string name, long length);

    /// <summary>Returns the request for the offset.</summary>
    public abstract (string Line, string[] Headers) Status(string name, string url);

    /// <summary>Returns the request that appends all remaining bytes.</summary>
    public abstract (string Line, string[] Headers) Append(string name, string url, long offset, long length);

    private sealed class FileIdProtocol : WireProtocol
    {
        public override string? KnownUrl => "/upload";

        public override string OffsetHeader => "X-Start-Byte";

        public override (string Line, string[] Headers) Create(string name, long length) => throw new NotSupportedException("The first append creates the upload.");

        public override (string Line, string[] Headers) Status(string name, string url) => ("HEAD /status", [$"X-File-Id: {name}"]);

        public override (string Line, string[] Headers) Append(string name, string url, long offset, long length) =>
            ("POST /upload", [$"X-File-Id: {name}", $"X-File-Name: {name}", $"X-Start-Byte: {offset}", $"X-File-Size: {length}"]);
    }

    private sealed class TusProtocol : WireProtocol
    {
        public override bool IsComplete(RawResponse response, bool isWhole) => isWhole;

        private const string Version = "Tus-Resumable: 1.0.0";

        public override (string Line, string[] Headers) Create(string name, long length) =>
            ("POST /upload", [Version, $"Upload-Length: {length}", $"Upload-Metadata: filename {Convert.ToBase64String(Encoding.UTF8.GetBytes(name))}", Type]);

        public override (string Line, string[] Headers) Status(string name, string url) => ($"HEAD {url}", [Version]);

        public override (string Line, string[] Headers) Append(string name, string url, long offset, long length) =>
            ($"PATCH {url}", [Version, $"Upload-Offset: {offset}", Type]);

        private static string Type => "Content-Type: application/offset+octet-stream";
    }

    private sealed class IetfProtocol : WireProtocol
    {
        public override bool IsComplete(RawResponse response, bool isWhole) => response.Header("Upload-Complete") == "?1";

        private const string Version = "Upload-Draft-Interop-Version: 10";

        public override (string Line, string[] Headers) Create(string name, long length) =>
            ("POST /upload", [Version, "Upload-Complete: ?0", $"Upload-Length: {length}", $"Content-Disposition: attachment; filename={name}"]);

        public override (string Line, string[] Headers) Status(string name, string url) => ($"HEAD {url}", [Version]);

        public override (string Line, string[] Headers) Append(string name, string url, long offset, long length) =>
            ($"PATCH {url}", [Version, "Upload-Complete: ?1", $"Upload-Offset: {offset}", "Content-Type: application/partial-upload"]);
    }
}
