using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace ResumableUploads.Testing.S3;

/// <summary>
/// An endpoint on Kestrel with the requests of S3 that the store uses, in memory. It keeps conditions atomically, and can be set to ignore them, to lose answers and to
/// delay requests.
/// </summary>
public sealed class FakeS3Server : S3Endpoint
{
    private readonly ConcurrentDictionary<string, FakeBucket> _buckets = new();
    private readonly ConcurrentQueue<FakeS3Request> _requests = new();
    private WebApplication? _app;

    /// <summary>Gets or sets a value that indicates whether conditions of PUT are ignored.</summary>
    public bool IgnoresPutConditions { get; set; }

    /// <summary>Gets or sets a value that indicates whether conditions of DELETE are ignored.</summary>
    public bool IgnoresDeleteConditions { get; set; }

    /// <summary>Gets or sets the delegate that selects the fault of a request.</summary>
    public Func<FakeS3Request, FakeS3Fault> Fault { get; set; } = static _ => FakeS3Fault.None;

    /// <summary>Gets or sets the delegate that runs before a request is carried out.</summary>
    public Func<FakeS3Request, Task> BeforeAsync { get; set; } = static _ => Task.CompletedTask;

    /// <summary>Gets or sets the delegate that changes a request before it is carried out.</summary>
    public Func<FakeS3Request, FakeS3Request> Change { get; set; } = static request => request;

    /// <summary>
    /// Gets or sets the delegate that runs between the check of the condition of a DELETE and the deletion. With <see langword="null"/>, both are one step.
    /// </summary>
    public Func<FakeS3Request, Task>? BeforeDeleteAsync { get; set; }

    /// <summary>Gets or sets the clock of the <c>Date</c> header. It may return <see langword="null"/> for a header that is empty.</summary>
    public Func<DateTimeOffset?> UtcNow { get; set; } = static () => TimeProvider.System.GetUtcNow();

    /// <summary>Gets the requests so far.</summary>
    public IReadOnlyCollection<FakeS3Request> Requests => _requests;

    /// <summary>Gets or sets a value that indicates whether the bytes of objects other than states are dropped, for measurements of memory.</summary>
    public bool DropsContent { get; set; }

    public override string ServiceUrl => _app!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public override async ValueTask InitializeAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        _app = builder.Build();
        _app.Run(HandleAsync);
        await _app.StartAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await _app!.DisposeAsync();
        await base.DisposeAsync();
    }

    public void ClearRequests() => _requests.Clear();

    /// <summary>Returns the keys of all objects of a bucket.</summary>
    public IReadOnlyList<string> GetKeys(string bucket) => _buckets.TryGetValue(bucket, out FakeBucket? found) ? found.GetKeys("", "") : [];

    public override ValueTask CreateBucketAsync(string bucket)
    {
        _buckets[bucket] = new FakeBucket();
        return ValueTask.CompletedTask;
    }

    private async Task HandleAsync(HttpContext context)
    {
        byte[] body = await ReadAsync(context.Request);
        string[] path = Uri.UnescapeDataString(context.Request.Path.Value!).TrimStart('/').Split('/', 2);

        // The headers of a context are reused by the next request.
        var headers = new HeaderDictionary(context.Request.Headers.ToDictionary(StringComparer.OrdinalIgnoreCase));
        var request = new FakeS3Request(context.Request.Method, path[0], path.Length > 1 ? path[1] : "", context.Request.Query, headers, body);
        _requests.Enqueue(request);
        FakeS3Fault fault = Fault(request);
        request = Change(request);
        await BeforeAsync(request);
        if (fault == FakeS3Fault.DropBefore)
        {
            context.Abort();
            return;
        }

        FakeS3Response response = fault switch
        {
            FakeS3Fault.ErrorBefore => FakeS3Response.Error(500, "InternalError"),
            FakeS3Fault.Conflict => FakeS3Response.Error(409, "ConditionalRequestConflict"),
            FakeS3Fault.Full => FakeS3Response.Error(507, "InsufficientStorage"),
            FakeS3Fault.Denied => FakeS3Response.Error(403, "AccessDenied"),
            _ => !_buckets.TryGetValue(request.Bucket, out FakeBucket? bucket) ? FakeS3Response.Error(404, "NoSuchBucket")
                : fault == FakeS3Fault.Ignored ? bucket.Ignore(request)
                : await CarryOutAsync(bucket, request),
        };
        switch (fault)
        {
            case FakeS3Fault.DropAfter:
                context.Abort();
                return;
            case FakeS3Fault.ErrorAfter:
                response = FakeS3Response.Error(500, "InternalError");
                break;
        }

        context.Response.Headers.Date = UtcNow()?.ToString("r", CultureInfo.InvariantCulture) ?? "";
        await response.WriteAsync(context, isCut: fault == FakeS3Fault.SilentBody);
    }

    private async Task<FakeS3Response> CarryOutAsync(FakeBucket bucket, FakeS3Request request)
    {
        bool isLate = BeforeDeleteAsync is not null && request is { Method: "DELETE", IfMatch: not null };
        if (isLate)
        {
            if (bucket.Check(request) is { } refused)
            {
                return refused;
            }

            await BeforeDeleteAsync!(request);
        }

        return bucket.Handle(request, IgnoresPutConditions, IgnoresDeleteConditions || isLate, source => _buckets[source]);
    }

    private async Task<byte[]> ReadAsync(HttpRequest request)
    {
        if (DropsContent && request.Path.Value!.Contains("/data/", StringComparison.Ordinal))
        {
            await request.Body.CopyToAsync(Stream.Null);
            return [];
        }

        using var body = new MemoryStream((int)(request.ContentLength ?? 0));
        await request.Body.CopyToAsync(body);
        return body.ToArray();
    }
}

/// <summary>Specifies what goes wrong with a request.</summary>
public enum FakeS3Fault
{
    None,

    /// <summary>The connection breaks before the request takes effect.</summary>
    DropBefore,

    /// <summary>The connection breaks after the request has taken effect.</summary>
    DropAfter,

    /// <summary>The answer is 500, and the request has no effect.</summary>
    ErrorBefore,

    /// <summary>The answer is 500, although the request has taken effect.</summary>
    ErrorAfter,

    /// <summary>The answer is 409 ConditionalRequestConflict.</summary>
    Conflict,

    /// <summary>The second half of the body of the answer never comes.</summary>
    SilentBody,

    /// <summary>The answer is 200, although the request has no effect.</summary>
    Ignored,

    /// <summary>The answer is 507.</summary>
    Full,

    /// <summary>The answer is 403.</summary>
    Denied,
}
