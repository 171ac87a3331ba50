using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ResumableUploads;

namespace TwoNodes;

/// <summary>One of the processes that receive uploads.</summary>
internal static class Node
{
    /// <summary>The text before the address in the line that a node writes when it is ready.</summary>
    public const string ReadyPrefix = "Node is ready at ";

    /// <summary>The response header that names the node that handled a request.</summary>
    public const string NameHeader = "X-Node";

    /// <summary>Runs a node until its standard input ends, so that it never outlives the front end.</summary>
    public static async Task RunAsync(string name, string[] args)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.AddServerHeader = false);
        NodeStore.Add(builder);

        WebApplication app = builder.Build();
        string finished = Path.Combine(app.Environment.ContentRootPath, "finished");
        app.Use((context, next) =>
        {
            context.Response.Headers[NameHeader] = name;
            return next(context);
        });
        app.UseDefaultFiles();
        app.UseStaticFiles();
        app.UseResumableUploads(options => options.OnCompleted = async (upload, cancellationToken) =>
        {
            string path = await upload.MoveToDirectoryAsync(finished, cancellationToken);
            app.Logger.LogInformation("Node {Node} finished an upload of {Size} bytes: {Path}", name, upload.Size, path);
        });

        await app.StartAsync();
        Console.WriteLine(ReadyPrefix + app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        _ = StopAtEndOfInputAsync(app.Lifetime);
        await app.WaitForShutdownAsync();
    }

    private static async Task StopAtEndOfInputAsync(IHostApplicationLifetime lifetime)
    {
        await Console.In.ReadToEndAsync();
        lifetime.StopApplication();
    }
}
