using System.Globalization;

namespace ResumableUploads.Testing.Clients;

/// <summary>How the length of each chunk is stated.</summary>
public enum ChunkFraming
{
    /// <summary>Each chunk with Content-Length.</summary>
    ContentLength,

    /// <summary>Each chunk with chunked transfer encoding.</summary>
    Chunked,

    /// <summary>All bytes without the size of the upload, then an empty chunk with the size.</summary>
    EmptyLast,
}

/// <summary>A request that can be sent as one request or as a resumable upload in several chunks.</summary>
internal sealed record ChunkableRequest(string Path, byte[] Content, string? ContentType)
{
    public HttpMethod Method { get; init; } = HttpMethod.Post;

    public (string Name, string Value)[] Headers { get; init; } = [];

    public Task<HttpResponseMessage> SendPlainAsync(HttpClient client) => SendAsync(client, new ByteArrayContent(Content));

    /// <summary>Sends the content in chunks with random boundaries. Checks the responses before the last and returns the last.</summary>
    public async Task<HttpResponseMessage> SendInChunksAsync(HttpClient client, int chunks, int seed, ChunkFraming framing = ChunkFraming.ContentLength, string fileId = "f")
    {
        int[] boundaries = GetChunkBoundaries(chunks, seed);
        for (int i = 0; ; i++)
        {
            bool isLast = i == boundaries.Length - 2;
            byte[] chunk = Content[boundaries[i]..boundaries[i + 1]];
            HttpResponseMessage response = await SendChunkAsync(client, fileId, boundaries[i], chunk, framing == ChunkFraming.EmptyLast ? null : Content.Length, framing);
            if (isLast && framing != ChunkFraming.EmptyLast)
            {
                return response;
            }

            using (response)
            {
                Assert.Equal("false", response.Header("X-Upload-Complete"));
                Assert.Equal(boundaries[i + 1].ToString(CultureInfo.InvariantCulture), await response.Content.ReadAsStringAsync());
            }

            if (isLast)
            {
                return await SendChunkAsync(client, fileId, Content.Length, [], Content.Length, ChunkFraming.ContentLength);
            }
        }
    }

    /// <summary>Repeats the last request to get the stored response.</summary>
    public Task<HttpResponseMessage> RepeatLastRequestAsync(HttpClient client, string fileId = "f") =>
        SendChunkAsync(client, fileId, Content.Length, [], Content.Length, ChunkFraming.ContentLength);

    public Task<HttpResponseMessage> SendChunkAsync(HttpClient client, string fileId, long start, byte[] chunk, long? size, ChunkFraming framing) => SendAsync(
        client,
        framing == ChunkFraming.Chunked ? new StreamContent(new UnseekableStream(chunk)) : new ByteArrayContent(chunk),
        [
            ("X-File-Id", fileId),
            ("X-Start-Byte", start.ToString(CultureInfo.InvariantCulture)),
            .. size is { } total ? (IEnumerable<(string, string)>)[("X-File-Size", total.ToString(CultureInfo.InvariantCulture))] : [],
        ]);

    /// <summary>Returns 0, the boundaries of the chunks, and the length. Equal boundaries result in an empty chunk.</summary>
    public int[] GetChunkBoundaries(int chunks, int seed)
    {
        var random = new Random(seed);
        return [0, .. Enumerable.Range(1, chunks - 1).Select(_ => random.Next(Content.Length)).Order(), Content.Length];
    }

    private async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpContent body, params (string Name, string Value)[] additionalHeaders)
    {
        using var request = new HttpRequestMessage(Method, Path)
        {
            Content = body,
            Version = client.DefaultRequestVersion,
            VersionPolicy = client.DefaultVersionPolicy,
        };
        if (ContentType is not null)
        {
            body.Headers.TryAddWithoutValidation("Content-Type", ContentType);
        }

        foreach ((string name, string value) in Headers.Concat(additionalHeaders))
        {
            _ = request.Headers.TryAddWithoutValidation(name, value) || body.Headers.TryAddWithoutValidation(name, value);
        }

        return await client.SendAsync(request);
    }

    /// <summary>A stream without a length.</summary>
    private sealed class UnseekableStream(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;
    }
}
