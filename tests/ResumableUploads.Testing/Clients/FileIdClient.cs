using System.Globalization;

namespace ResumableUploads.Testing.Clients;

/// <summary>A small client of the file-id protocol.</summary>
public static class FileIdClient
{
    public static async Task<long> StatusAsync(this HttpClient client, string fileId, string path = "/status")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Version = client.DefaultRequestVersion, VersionPolicy = client.DefaultVersionPolicy };
        request.Headers.TryAddWithoutValidation("X-File-Id", fileId);
        using HttpResponseMessage response = await client.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return long.Parse(await response.Content.ReadAsStringAsync(), CultureInfo.InvariantCulture);
    }

    public static async Task<HttpResponseMessage> AppendAsync(
        this HttpClient client, string fileId, long startByte, HttpContent body, long? fileSize = null, string path = "/upload", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = body, Version = client.DefaultRequestVersion, VersionPolicy = client.DefaultVersionPolicy };
        request.Headers.TryAddWithoutValidation("X-File-Id", fileId);
        request.Headers.TryAddWithoutValidation("X-Start-Byte", startByte.ToString(CultureInfo.InvariantCulture));
        if (fileSize is { } size)
        {
            request.Headers.TryAddWithoutValidation("X-File-Size", size.ToString(CultureInfo.InvariantCulture));
        }

        foreach ((string name, string value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                body.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return await client.SendAsync(request);
    }

    public static Task<HttpResponseMessage> AppendAsync(
        this HttpClient client, string fileId, long startByte, byte[] body, long? fileSize = null, params (string Name, string Value)[] headers) =>
        client.AppendAsync(fileId, startByte, new ByteArrayContent(body), fileSize, "/upload", headers);

    public static async Task<HttpResponseMessage> DeleteUploadAsync(this HttpClient client, string fileId, string path = "/upload")
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, path) { Version = client.DefaultRequestVersion, VersionPolicy = client.DefaultVersionPolicy };
        request.Headers.TryAddWithoutValidation("X-File-Id", fileId);
        return await client.SendAsync(request);
    }

    public static string? Header(this HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(",", values)
            : response.Content.Headers.TryGetValues(name, out values) ? string.Join(",", values) : null;
}
