using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResumableUploads.Benchmarks.Servers;

/// <summary>Runs a server. All servers have the same Kestrel configuration, print their port, and stop when standard input ends.</summary>
internal static class ServerHost
{
    public static async Task RunAsync(ServeArguments arguments)
    {
        if (arguments.SyncDelay > TimeSpan.Zero)
        {
            SyncDelay.Start(arguments.SyncDelay);
        }

        // The host watches the content root for changed settings, so the uploads must be elsewhere.
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.Logging.AddConsole(static console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.Configure<KestrelServerOptions>(static kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
        });
        if (arguments.LargeBuffers)
        {
            builder.WebHost.UseLargeUploadBuffers();
        }

        CountingListeners.Start(arguments.Listeners);
        if (arguments.Kind == ServerKind.Dashboard)
        {
            builder.Services.AddResumableUploads();
            builder.Services.AddAntiforgery();
        }

        WebApplication app = builder.Build();
        if (arguments.Kind is ServerKind.Ours or ServerKind.Dashboard)
        {
            ResumableUploadsServer.Configure(app, arguments);
            if (arguments.Kind == ServerKind.Dashboard)
            {
                app.UseRouting();
                app.MapResumableUploadsDashboard("/dashboard", static options => options.AllowUnauthenticatedAccess = true);
                app.UseEndpoints(static _ => { });
            }
        }
        else
        {
            app.Use(new BareServer(arguments).InvokeAsync);
        }

        app.Run(ControlAsync);
        await app.StartAsync();
        string address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Console.WriteLine(new Uri(address).Port.ToString(CultureInfo.InvariantCulture));

        // Standard input ends when the parent process exits.
        await Console.In.ReadLineAsync();
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private static Task ControlAsync(HttpContext context) => context.Request.Path.Value switch
    {
        "/other" => context.WriteNumberAsync(1),
        "/control/syncs" => context.WriteNumberAsync(SyncDelay.Count),
        "/control/cpu" => context.WriteNumberAsync(Environment.CpuUsage.TotalTime.Ticks),
        "/control/allocated" => context.WriteNumberAsync(GC.GetTotalAllocatedBytes(precise: true)),
        "/control/measured" => context.WriteNumberAsync(CountingListeners.Count),
        "/control/memory" => context.WriteNumberAsync(GetLiveMemory()),
        _ => context.WriteNumberAsync(0, StatusCodes.Status404NotFound),
    };

    private static long GetLiveMemory()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
