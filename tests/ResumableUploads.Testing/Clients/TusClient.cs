using System.Globalization;

namespace ResumableUploads.Testing.Clients;

/// <summary>A client of tus.</summary>
internal static class TusClient
{
    public static Task<HttpResponseMessage> TusAsync(
        this HttpClient client, string method, string url, byte[]? body = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), url) { Version = client.DefaultRequestVersion, VersionPolicy = client.DefaultVersionPolicy };
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/offset+octet-stream");
        }

        if (!headers.Any(static header => header.Name == "Tus-Resumable"))
        {
            request.Headers.Add("Tus-Resumable", "1.0.0");
        }

        foreach ((string name, string value) in headers)
        {
            _ = request.Headers.TryAddWithoutValidation(name, value) || request.Content!.Headers.TryAddWithoutValidation(name, value);
        }

        return client.SendAsync(request);
    }

    /// <summary>Creates an upload and returns its URL.</summary>
    public static async Task<string> CreateAsync(this HttpClient client, string url, long length, params (string Name, string Value)[] headers)
    {
        using HttpResponseMessage created = await client.TusAsync("POST", url, null, [("Upload-Length", length.ToString(CultureInfo.InvariantCulture)), .. headers]);
        Assert.Equal(201, (int)created.StatusCode);
        return created.Header("Location")!;
    }

    public static Task<HttpResponseMessage> AppendChunkAsync(this HttpClient client, string url, long offset, byte[] body, params (string Name, string Value)[] headers) =>
        client.TusAsync("PATCH", url, body, [("Upload-Offset", offset.ToString(CultureInfo.InvariantCulture)), .. headers]);

    /// <summary>Creates an upload with a deferred length and returns its URL.</summary>
    public static async Task<string> CreateDeferredAsync(this HttpClient client, string url)
    {
        using HttpResponseMessage created = await client.TusAsync("POST", url, null, ("Upload-Defer-Length", "1"));
        Assert.Equal(201, (int)created.StatusCode);
        return created.Header("Location")!;
    }

    /// <summary>Returns the offset of a HEAD response.</summary>
    public static async Task<long> OffsetAsync(this HttpClient client, string url)
    {
        using HttpResponseMessage head = await client.TusAsync("HEAD", url);
        Assert.Equal(200, (int)head.StatusCode);
        return long.Parse(head.Header("Upload-Offset")!, CultureInfo.InvariantCulture);
    }

    /// <summary>Returns the status code of a response.</summary>
    public static async Task<int> StatusOfAsync(this Task<HttpResponseMessage> sending)
    {
        using HttpResponseMessage response = await sending;
        return (int)response.StatusCode;
    }
}
