// A server for tests that kill it. It is configured on the command line (--ResumableUploads:Directory=...), reports events on standard output, one per
// line, logs to standard error, and stops at the end of its standard input, so that it never outlives the test.
// --AzureBlobs=CONNECTION_STRING --Container=NAME and --S3=URL --Bucket=NAME store uploads in object storage.
// --SegmentSize=BYTES and --MaxBufferedBytes=BYTES are options of the S3 store.
// --Effects=DIRECTORY maps an endpoint at /effects, --MemoryStore=BYTES stores uploads in memory, --MaxConnections is the limit of Kestrel,
// --ConnectionTimeout=TIME is the time that Kestrel waits for a header section, --ReadBuffer=BYTES what it receives of a body before the store reads it.
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using ResumableUploads;
using ResumableUploads.Abstractions;
using ResumableUploads.CrashHost;

if (args is ["--Steps", var steps, var durability, .. var more])
{
    // Runs before the first await, so that all system calls are made by the main thread.
    new StoreScenario(steps, Enum.Parse<Durability>(durability), reportsFirst: more is ["--ReportsFirst"]).Run();
    return;
}

if (args is ["--Concatenate", var uploads, var concatenation, var metadata])
{
    new ConcatenationScenario(uploads, concatenation, metadata).Run();
    return;
}

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders().AddConsole(static console => console.LogToStandardErrorThreshold = LogLevel.Trace);
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.Listen(System.Net.IPAddress.Loopback, 0);
    kestrel.Limits.MaxConcurrentConnections = builder.Configuration.GetValue<long?>("MaxConnections");
    if (builder.Configuration.GetValue<TimeSpan?>("ConnectionTimeout") is { } timeout)
    {
        kestrel.Limits.RequestHeadersTimeout = kestrel.Limits.KeepAliveTimeout = timeout;
    }
});
if (builder.Configuration.GetValue<long?>("ReadBuffer") is { } readBuffer)
{
    builder.WebHost.UseSockets(sockets => sockets.MaxReadBufferSize = readBuffer);
}

ObjectStore.Add(builder.Services.AddResumableUploads(), builder.Configuration);

await using WebApplication app = builder.Build();
string root = app.Services.GetRequiredService<IOptions<ResumableUploadOptions>>().Value.Directory!;
var handler = new CompletionHandler(root, app.Configuration["Handler"] ?? "");
app.UseResumableUploads(options =>
{
    options.OnCompleted = handler.RunAsync;
    if (app.Configuration.GetValue<long?>("MemoryStore") is { } size)
    {
        options.UseMemoryStore(size);
    }

    if (app.Configuration.GetValue<bool>("Progress"))
    {
        options.OnProgress = static (upload, _) =>
        {
            Console.WriteLine($"progress {upload.FileName} {upload.Offset}");
            return Task.CompletedTask;
        };
    }
});

if (app.Configuration["Effects"] is { Length: > 0 } effects)
{
    SideEffectEndpoint.Map(app, effects, handler);
}

await app.StartAsync();
_ = Task.Run(() => handler.ReadCommandsAsync(app.Lifetime));
string address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
Console.WriteLine($"port {new Uri(address).Port}");
await app.WaitForShutdownAsync();
