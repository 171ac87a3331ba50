using System.Globalization;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Proxies.Measuring;

/// <summary>The requests of one upload in one protocol.</summary>
internal abstract class UploadDialog(ProxyClient client, string path, int size)
{
    protected ProxyClient Client => client;

    protected string Path => path;

    protected int Size => size;

    /// <summary>Gets or sets the path of the upload, or null if the client does not know it.</summary>
    public string? Url { get; set; }

    /// <summary>Creates the upload, if that is a request of its own. Returns the status code of a failure.</summary>
    public virtual Task<int?> CreateAsync() => Task.FromResult<int?>(null);

    /// <summary>Returns the request that sends the bytes from an offset on, without its length.</summary>
    public abstract (string MethodAndPath, string[] Headers) CreateAppend(long offset);

    /// <summary>Asks for the offset. Returns null, and the status code, if the response has none.</summary>
    public abstract Task<(long? Offset, int Status)> GetOffsetAsync();

    public abstract bool IsComplete(RawResponse response);

    protected static long? ReadNumber(RawResponse response, string header) =>
        long.TryParse(response.Header(header), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;
}

internal sealed class FileIdDialog(ProxyClient client, string path, int size) : UploadDialog(client, path, size)
{
    private readonly string _id = $"X-File-Id: {Guid.NewGuid():N}";

    public override (string MethodAndPath, string[] Headers) CreateAppend(long offset) =>
        ($"POST {Path}", [_id, $"X-File-Size: {Size}", $"X-Start-Byte: {offset}"]);

    public override async Task<(long? Offset, int Status)> GetOffsetAsync()
    {
        RawResponse response = (await Client.SendAsync($"GET {Path}", [_id]))!;
        return (ReadNumber(response, "X-Start-Byte"), response.Status);
    }

    public override bool IsComplete(RawResponse response) => (response.Status, response.Header("X-Upload-Complete")) == (200, "true");
}

internal sealed class TusDialog(ProxyClient client, string path, int size) : UploadDialog(client, path, size)
{
    private const string Version = "Tus-Resumable: 1.0.0";

    public override async Task<int?> CreateAsync()
    {
        RawResponse? response = await Client.SendAsync($"POST {Path}", [Version, $"Upload-Length: {Size}"]);
        Url = response?.Header("Location");
        return Url is null ? response?.Status ?? 0 : null;
    }

    public override (string MethodAndPath, string[] Headers) CreateAppend(long offset) =>
        ($"PATCH {Url}", [Version, "Content-Type: application/offset+octet-stream", $"Upload-Offset: {offset}"]);

    public override async Task<(long? Offset, int Status)> GetOffsetAsync()
    {
        (RawResponse response, _) = await Client.HeadAsync(Url!, Version);
        return (ReadNumber(response, "Upload-Offset"), response.Status);
    }

    public override bool IsComplete(RawResponse response) => (response.Status, ReadNumber(response, "Upload-Offset")) == (204, Size);
}

/// <summary>The dialog of the draft: a creation without content first, or the whole file in the first request, as URLSession sends it.</summary>
internal sealed class IetfDialog(ProxyClient client, string path, int size, bool createsFirst) : UploadDialog(client, path, size)
{
    private const string Version = "Upload-Draft-Interop-Version: 6";

    public override async Task<int?> CreateAsync()
    {
        if (!createsFirst)
        {
            return null;
        }

        RawResponse? response = await Client.SendAsync($"POST {Path}", [Version, "Upload-Complete: ?0", $"Upload-Length: {Size}"]);
        Url = response?.Header("Location");
        return Url is null ? response?.Status ?? 0 : null;
    }

    public override (string MethodAndPath, string[] Headers) CreateAppend(long offset) => Url is null
        ? ($"POST {Path}", [Version, "Upload-Complete: ?1"])
        : ($"PATCH {Url}", [Version, "Upload-Complete: ?1", "Content-Type: application/partial-upload", $"Upload-Offset: {offset}"]);

    public override async Task<(long? Offset, int Status)> GetOffsetAsync()
    {
        if (Url is null)
        {
            return (0, 0);
        }

        (RawResponse response, _) = await Client.HeadAsync(Url, Version);
        return (ReadNumber(response, "Upload-Offset"), response.Status);
    }

    public override bool IsComplete(RawResponse response) => (response.Status, response.Header("Upload-Complete")) is (201 or 204, "?1");
}
