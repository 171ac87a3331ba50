namespace ResumableUploads.Testing.S3;

/// <summary>A request to the endpoint.</summary>
public sealed record FakeS3Request(string Method, string Bucket, string Key, IQueryCollection Query, IHeaderDictionary Headers, byte[] Body)
{
    /// <summary>Gets a value that indicates whether the request is for a state object.</summary>
    public bool IsState => Key.Contains("state/", StringComparison.Ordinal);

    /// <summary>Gets a value that indicates whether the request is for an object other than a state object.</summary>
    public bool IsData => Key.Contains("data/", StringComparison.Ordinal);

    public string? IfMatch => Headers.IfMatch.Count > 0 ? Headers.IfMatch.ToString() : null;

    public string? IfNoneMatch => Headers.IfNoneMatch.Count > 0 ? Headers.IfNoneMatch.ToString() : null;

    public override string ToString() => $"{Method} {Key}{(Query.Count > 0 ? "?" + string.Join('&', Query.Keys) : "")}";
}

/// <summary>An answer of the endpoint.</summary>
internal sealed record FakeS3Response(int Status, byte[] Body, IReadOnlyDictionary<string, string> Headers)
{
    public static FakeS3Response Error(int status, string code) => Xml($"<Error><Code>{code}</Code><Message>{code} of the fake.</Message></Error>", status);

    public static FakeS3Response Xml(string xml, int status = 200) =>
        new(status, System.Text.Encoding.UTF8.GetBytes("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + xml), new Dictionary<string, string> { ["Content-Type"] = "application/xml" });

    public static FakeS3Response Empty(int status, string? eTag = null) =>
        new(status, [], eTag is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["ETag"] = eTag });

    /// <param name="context">The context of the request.</param>
    /// <param name="isCut">Whether the second half of the body never comes, although the connection stays open.</param>
    public async Task WriteAsync(HttpContext context, bool isCut)
    {
        context.Response.StatusCode = Status;
        foreach ((string name, string value) in Headers)
        {
            context.Response.Headers[name] = value;
        }

        context.Response.Headers["x-amz-request-id"] = "fake";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            if (Status >= 400)
            {
                context.Response.ContentType = null;
            }

            return;
        }

        if (Status != 204)
        {
            context.Response.ContentLength = Body.Length;
            await context.Response.Body.WriteAsync(isCut ? Body.AsMemory(0, Body.Length / 2) : Body);
            if (isCut)
            {
                await context.Response.Body.FlushAsync();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
