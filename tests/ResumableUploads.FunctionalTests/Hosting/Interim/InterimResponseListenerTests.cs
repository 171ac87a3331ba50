using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.FunctionalTests.Hosting.Interim.Http2;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Hosting.Interim;

public class InterimResponseListenerTests
{
    private static readonly Dictionary<string, (Action<ListenOptions>? Defaults, Action<ListenOptions> Endpoint)> Places = new()
    {
        ["before TLS"] = (null, static endpoint => InterimTestServer.UseTls(endpoint.UseResumableUploadInterimResponses())),
        ["after TLS"] = (null, static endpoint =>
        {
            InterimTestServer.UseTls(endpoint);
            endpoint.UseResumableUploadInterimResponses();
        }),
        ["before and after TLS"] = (null, static endpoint =>
        {
            InterimTestServer.UseTls(endpoint.UseResumableUploadInterimResponses());
            endpoint.UseResumableUploadInterimResponses();
        }),
        ["twice before TLS"] = (null, static endpoint =>
            InterimTestServer.UseTls(endpoint.UseResumableUploadInterimResponses().UseResumableUploadInterimResponses())),
        ["in the defaults"] = (static defaults => defaults.UseResumableUploadInterimResponses(), InterimTestServer.UseTls),
        ["in the defaults and after TLS"] = (static defaults => defaults.UseResumableUploadInterimResponses(), static endpoint =>
        {
            InterimTestServer.UseTls(endpoint);
            endpoint.UseResumableUploadInterimResponses();
        }),
        ["in the defaults, without TLS"] = (static defaults => defaults.UseResumableUploadInterimResponses(), static _ => { }),
        ["twice, without TLS"] = (null, static endpoint => endpoint.UseResumableUploadInterimResponses().UseResumableUploadInterimResponses()),
    };

    public static TheoryData<string> Names => [.. Places.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Http2_request_gets_interim_response(string place)
    {
        await using InterimTestServer server = await StartAsync(place, HttpProtocols.Http2);
        await using Http2Client client = await Http2Client.OpenAsync(server.Address);

        await client.SendHeadersAsync(1, isWhole: true);

        Assert.Equal(["104", "200"], await client.ReadStreamAsync(1));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Http1_request_gets_interim_response(string place)
    {
        await using InterimTestServer server = await StartAsync(place, HttpProtocols.Http1);
        await using RawConnection connection = await RawConnection.OpenAsync(server.Address);

        await connection.SendHeadAsync("GET /");

        Assert.Equal(104, (await connection.ReadResponseAsync())!.Status);
        Assert.Equal(200, (await connection.ReadResponseAsync())!.Status);
    }

    [Fact]
    public async Task Transport_is_restored_when_connection_ends()
    {
        var ended = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using InterimTestServer server = await InterimTestServer.StartAsync(InterimUpload.HandleAsync, HttpProtocols.Http2, endpoint =>
        {
            endpoint.Use(next => async connection =>
            {
                System.IO.Pipelines.IDuplexPipe before = connection.Transport;
                await next(connection);
                ended.SetResult(ReferenceEquals(before, connection.Transport));
            });
            InterimTestServer.UseTls(endpoint.UseResumableUploadInterimResponses());
        });
        await using (Http2Client client = await Http2Client.OpenAsync(server.Address))
        {
            await client.SendHeadersAsync(1, isWhole: true);
            await client.ReadStreamAsync(1);
        }

        Assert.True(await Eventually.WithinAsync(ended.Task));
    }

    private static Task<InterimTestServer> StartAsync(string place, HttpProtocols protocols) => InterimTestServer.StartAsync(
        InterimUpload.HandleAsync,
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
