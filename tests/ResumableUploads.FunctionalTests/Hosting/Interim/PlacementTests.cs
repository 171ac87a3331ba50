using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.FunctionalTests.Hosting.Interim.Http2;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Hosting.Interim;

public class PlacementTests
{
    private static readonly Dictionary<string, (Action<ListenOptions>? Defaults, Action<ListenOptions> Endpoint)> Places = new()
    {
        ["before TLS"] = (null, static endpoint => InterimServer.UseTls(endpoint.UseResumableUploadInterimResponses())),
        ["after TLS"] = (null, static endpoint =>
        {
            InterimServer.UseTls(endpoint);
            endpoint.UseResumableUploadInterimResponses();
        }),
        ["before and after TLS"] = (null, static endpoint =>
        {
            InterimServer.UseTls(endpoint.UseResumableUploadInterimResponses());
            endpoint.UseResumableUploadInterimResponses();
        }),
        ["twice before TLS"] = (null, static endpoint =>
            InterimServer.UseTls(endpoint.UseResumableUploadInterimResponses().UseResumableUploadInterimResponses())),
        ["in the defaults"] = (static defaults => defaults.UseResumableUploadInterimResponses(), InterimServer.UseTls),
        ["in the defaults and after TLS"] = (static defaults => defaults.UseResumableUploadInterimResponses(), static endpoint =>
        {
            InterimServer.UseTls(endpoint);
            endpoint.UseResumableUploadInterimResponses();
        }),
        ["in the defaults, without TLS"] = (static defaults => defaults.UseResumableUploadInterimResponses(), static _ => { }),
        ["twice, without TLS"] = (null, static endpoint => endpoint.UseResumableUploadInterimResponses().UseResumableUploadInterimResponses()),
    };

    public static TheoryData<string> Names => [.. Places.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Interim_responses_are_sent_over_http_2(string place)
    {
        await using InterimServer server = await StartAsync(place, HttpProtocols.Http2);
        await using Http2Client client = await Http2Client.OpenAsync(server.Address);

        await client.SendHeadersAsync(1, isWhole: true);

        Assert.Equal(["104", "200"], await client.ReadStreamAsync(1));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Interim_responses_are_sent_over_http_1(string place)
    {
        await using InterimServer server = await StartAsync(place, HttpProtocols.Http1);
        await using RawConnection connection = await RawConnection.OpenAsync(server.Address);

        await connection.SendHeadAsync("GET /");

        Assert.Equal(104, (await connection.ReadResponseAsync())!.Status);
        Assert.Equal(200, (await connection.ReadResponseAsync())!.Status);
    }

    [Fact]
    public async Task The_transport_is_as_it_was_when_the_connection_is_over()
    {
        var ended = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using InterimServer server = await InterimServer.StartAsync(Upload.TakeAsync, HttpProtocols.Http2, endpoint =>
        {
            endpoint.Use(next => async connection =>
            {
                System.IO.Pipelines.IDuplexPipe before = connection.Transport;
                await next(connection);
                ended.SetResult(ReferenceEquals(before, connection.Transport));
            });
            InterimServer.UseTls(endpoint.UseResumableUploadInterimResponses());
        });
        await using (Http2Client client = await Http2Client.OpenAsync(server.Address))
        {
            await client.SendHeadersAsync(1, isWhole: true);
            await client.ReadStreamAsync(1);
        }

        Assert.True(await Eventually.WithinAsync(ended.Task));
    }

    private static Task<InterimServer> StartAsync(string place, HttpProtocols protocols) => InterimServer.StartAsync(
        Upload.TakeAsync,
        protocols,
        Places[place].Endpoint,
        server =>
        {
            if (Places[place].Defaults is { } defaults)
            {
                server.ConfigureEndpointDefaults(defaults);
            }
        });
}
