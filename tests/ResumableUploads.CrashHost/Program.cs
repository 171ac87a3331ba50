// An app that is there to be killed. Options come from the command line (--ResumableUploads:Directory=...). It says what happens on
// standard output, one line each, logs to standard error, and ends when its standard input does: nobody has to remember to end it.
// With --Effects=directory it has an endpoint of its own at /effects, too. With --MemoryStore=bytes its uploads are in memory. --MaxConnections is
// the web server's own limit.
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using ResumableUploads;
using ResumableUploads.CrashHost;

if (args is ["--Steps", var steps, .. var more])
{
    // Not one of the servers: see there. All of it before the first await, on the main thread.
    new StoreScenario(steps, tellsFirst: more is ["--TellsFirst"]).Run();
    return;
}

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders().AddConsole(static console => console.LogToStandardErrorThreshold = LogLevel.Trace);
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.Listen(System.Net.IPAddress.Loopback, 0);
    kestrel.Limits.MaxConcurrentConnections = builder.Configuration.GetValue<long?>("MaxConnections");
});
builder.Services.AddResumableUploads();

await using WebApplication app = builder.Build();
string root = app.Services.GetRequiredService<IOptions<ResumableUploadOptions>>().Value.Directory;
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
