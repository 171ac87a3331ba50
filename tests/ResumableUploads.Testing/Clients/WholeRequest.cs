using System.Globalization;

namespace ResumableUploads.Testing.Clients;

/// <summary>How the chunks of an upload are sent.</summary>
public enum Way
{
    /// <summary>Each with Content-Length.</summary>
    Measured,

    /// <summary>Each with chunked transfer encoding.</summary>
    Chunked,

    /// <summary>All bytes without the size of the upload, then an empty chunk with the size.</summary>
    EmptyLast,
}

/// <summary>A request that can be sent as one request or as a resumable upload in several chunks.</summary>
internal sealed record WholeRequest(string Path, byte[] Content, string? ContentType)
{
    public HttpMethod Method { get; init; } = HttpMethod.Post;

    public (string Name, string Value)[] Headers { get; init; } = [];

    public Task<HttpResponseMessage> SendPlainAsync(HttpClient client) => SendAsync(client, new ByteArrayContent(Content));

    /// <summary>Sends the content in chunks with random boundaries. Checks the responses before the last and returns the last.</summary>
    public async Task<HttpResponseMessage> SendInPiecesAsync(HttpClient client, int pieces, int seed, Way way = Way.Measured, string fileId = "f")
    {
        int[] cuts = CutsOf(pieces, seed);
        for (int i = 0; ; i++)
        {
            bool isLast = i == cuts.Length - 2;
            byte[] piece = Content[cuts[i]..cuts[i + 1]];
            HttpResponseMessage answer = await SendPieceAsync(client, fileId, cuts[i], piece, way == Way.EmptyLast ? null : Content.Length, way);
            if (isLast && way != Way.EmptyLast)
            {
                return answer;
            }

            using (answer)
            {
                Assert.Equal("false", answer.Header("X-Upload-Complete"));
                Assert.Equal(cuts[i + 1].ToString(CultureInfo.InvariantCulture), await answer.Content.ReadAsStringAsync());
            }

            if (isLast)
            {
                return await SendPieceAsync(client, fileId, Content.Length, [], Content.Length, Way.Measured);
            }
        }
    }

    /// <summary>Repeats the last request to get the stored response.</summary>
    public Task<HttpResponseMessage> RepeatLastRequestAsync(HttpClient client, string fileId = "f") =>
        SendPieceAsync(client, fileId, Content.Length, [], Content.Length, Way.Measured);

    public Task<HttpResponseMessage> SendPieceAsync(HttpClient client, string fileId, long start, byte[] piece, long? size, Way way) => SendAsync(
        client,
        way == Way.Chunked ? new StreamContent(new Unmeasured(piece)) : new ByteArrayContent(piece),
        [
            ("X-File-Id", fileId),
            ("X-Start-Byte", start.ToString(CultureInfo.InvariantCulture)),
            .. size is { } all ? (IEnumerable<(string, string)>)[("X-File-Size", all.ToString(CultureInfo.InvariantCulture))] : [],
        ]);

    /// <summary>Returns 0, the boundaries of the chunks, and the length. Equal boundaries result in an empty chunk.</summary>
    public int[] CutsOf(int pieces, int seed)
    {
        var random = new Random(seed);
        return [0, .. Enumerable.Range(1, pieces - 1).Select(_ => random.Next(Content.Length)).Order(), Content.Length];
    }

    private async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpContent body, params (string Name, string Value)[] more)
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

        foreach ((string name, string value) in Headers.Concat(more))
        {
            _ = request.Headers.TryAddWithoutValidation(name, value) || body.Headers.TryAddWithoutValidation(name, value);
        }

        return await client.SendAsync(request);
    }

    /// <summary>A stream without a length.</summary>
    private sealed class Unmeasured(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;
    }
}
