using System.Collections.Concurrent;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Transforms;

namespace TwoNodes;

/// <summary>The reverse proxy. It starts the nodes, and starts a node again if its process ends.</summary>
internal sealed class FrontEnd(InMemoryConfigProvider proxyConfig, IHostApplicationLifetime lifetime, ILogger<FrontEnd> logger, FrontEndArguments arguments)
    : BackgroundService
{
    private const string ClusterId = "nodes";
    private static readonly TimeSpan RestartDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(20);
    private readonly ConcurrentDictionary<string, string> _addresses = new();

    public static Task RunAsync(string[] args)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);

        // Uploads are of any size and speed. The nodes have limits of their own.
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
        });
        builder.Services.AddReverseProxy().LoadFromMemory([CreateRoute()], []);
        builder.Services.AddSingleton(new FrontEndArguments(args)).AddHostedService<FrontEnd>();

        WebApplication app = builder.Build();
        app.MapReverseProxy();
        return app.RunAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.WhenAll(RunNodeAsync("A", stoppingToken), RunNodeAsync("B", stoppingToken));
        }
        catch (InvalidOperationException e)
        {
            logger.LogCritical(e, "A node cannot start.");
            lifetime.StopApplication();
        }
    }

    private static RouteConfig CreateRoute() => new RouteConfig
    {
        RouteId = "uploads",
        ClusterId = ClusterId,
        Match = new RouteMatch { Path = "{**path}" },
    }.WithTransformUseOriginalHostHeader();

    private async Task RunNodeAsync(string name, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            using var node = new NodeProcess(name, arguments.Values);
            try
            {
                SetAddress(name, await node.Address);
                logger.LogInformation("Node {Node} runs as process {ProcessId}. To see a takeover, end it during an upload: kill -9 {ProcessId}", name, node.Id, node.Id);
                await node.WaitForExitAsync().WaitAsync(stoppingToken);
                SetAddress(name, address: null);
                logger.LogWarning("Node {Node} has ended, and starts again.", name);
                await Task.Delay(RestartDelay, TimeProvider.System, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                await node.StopAsync(StopTimeout);
            }
        }
    }

    private void SetAddress(string name, string? address)
    {
        if (address is null)
        {
            _addresses.TryRemove(name, out _);
        }
        else
        {
            _addresses[name] = address;
        }

        var cluster = new ClusterConfig
        {
            ClusterId = ClusterId,
            LoadBalancingPolicy = LoadBalancingPolicies.RoundRobin,
            Destinations = _addresses.ToDictionary(static node => node.Key, static node => new DestinationConfig { Address = node.Value }),
        };
        proxyConfig.Update([CreateRoute()], [cluster]);
    }
}

/// <summary>The command-line arguments, which the front end passes to its nodes.</summary>
internal sealed record FrontEndArguments(IReadOnlyList<string> Values);
