// An app that tests kill. Options come from the command line (--ResumableUploads:Directory=...). It reports events on standard output, one line each,
// and logs to standard error. It exits when its standard input is closed, so a test cannot leave it running. --Effects=directory adds an endpoint at
// /effects, --MemoryStore=bytes keeps uploads in memory, --MaxConnections sets the connection limit of the web server.
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using ResumableUploads;
using ResumableUploads.CrashHost;

if (args is ["--Steps", var steps, .. var more])
{
    // Runs a store scenario without a server, before the first await, so that everything happens on the main thread.
    new StoreScenario(steps, reportsFirst: more is ["--ReportsFirst"]).Run();
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
