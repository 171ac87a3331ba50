namespace ResumableUploads.Testing.Clients;

/// <summary>Sends an upload in two requests, in the same way for each protocol. The client of tus asks for the body of the response, which the others get in any case.</summary>
internal static class ProtocolClient
{
    public const string FileId = "file-id";
    public const string Tus = "tus";
    public const string Ietf = "ietf";

    public static TheoryData<string> Protocols => [FileId, Tus, Ietf];

    /// <summary>Creates an upload of a length with its first bytes, and returns the URL for the rest. The id of a file-id upload is <c>f</c>.</summary>
    public static async Task<string> BeginAsync(
        this HttpClient client, string protocol, string url, byte[] content, long length, params (string Name, string Value)[] headers)
    {
        using HttpResponseMessage created = await client.SendFirstAsync(protocol, url, content, length, headers);
        Assert.True(created.IsSuccessStatusCode, $"{(int)created.StatusCode} {await created.Content.ReadAsStringAsync()}");
        return created.Header("Location") ?? url;
    }

    /// <summary>Sends the request that creates an upload.</summary>
    public static Task<HttpResponseMessage> SendFirstAsync(
        this HttpClient client, string protocol, string url, byte[] content, long length, params (string Name, string Value)[] headers) => protocol switch
    {
        FileId => client.SendFileIdAsync("POST", url, content, [("X-File-Size", $"{length}"), .. headers]),
        Tus => client.TusAsync("POST", url, content, [("Upload-Length", $"{length}"), ("Prefer", "return=representation"), .. headers]),
        _ => client.IetfAsync("POST", url, IetfClient.Newest, new ByteArrayContent(content), [("Upload-Complete", "?0"), ("Upload-Length", $"{length}"), .. headers]),
    };

    /// <summary>Sends the last bytes of an upload.</summary>
    public static Task<HttpResponseMessage> FinishAsync(
        this HttpClient client, string protocol, string url, long offset, byte[] content, params (string Name, string Value)[] headers)
    {
        if (protocol == FileId)
        {
            return client.SendFileIdAsync("POST", url, content, [("X-Start-Byte", $"{offset}"), .. headers]);
        }

        if (protocol == Tus)
        {
            return client.AppendChunkAsync(url, offset, content, [("Prefer", "return=representation"), .. headers]);
        }

        var body = new ByteArrayContent(content);
        body.Headers.TryAddWithoutValidation("Content-Type", "application/partial-upload");
        return client.IetfAsync("PATCH", url, IetfClient.Newest, body, [("Upload-Offset", $"{offset}"), ("Upload-Complete", "?1"), .. headers]);
    }

    /// <summary>Returns the status code and the offset of a status response.</summary>
    public static async Task<(int Status, string? Offset)> GetOffsetAsync(this HttpClient client, string protocol, string url, params (string Name, string Value)[] headers)
    {
        using HttpResponseMessage response = protocol switch
        {
            FileId => await client.SendFileIdAsync("HEAD", url, null, headers),
            Tus => await client.TusAsync("HEAD", url, null, headers),
            _ => await client.HeadAsync(url, IetfClient.Newest, headers),
        };
        return ((int)response.StatusCode, response.Header(protocol == FileId ? "X-Start-Byte" : "Upload-Offset"));
    }

    public static Task<HttpResponseMessage> SendFileIdAsync(
        this HttpClient client, string method, string url, byte[]? content, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), url) { Content = content is null ? null : new ByteArrayContent(content) };
        request.Headers.Add("X-File-Id", "f");
        foreach ((string name, string value) in headers)
        {
            _ = request.Headers.TryAddWithoutValidation(name, value) || request.Content!.Headers.TryAddWithoutValidation(name, value);
        }

        return client.SendAsync(request);
    }

    /// <summary>Asserts that a response is a problem with a status code and a type <c>urn:resumable-uploads:</c>.</summary>
    public static async Task AssertProblemAsync(this Task<HttpResponseMessage> sending, int status, string type)
    {
        using HttpResponseMessage response = await sending;
        await response.ProblemAsync(status, IetfClient.Own + type);
    }
}
