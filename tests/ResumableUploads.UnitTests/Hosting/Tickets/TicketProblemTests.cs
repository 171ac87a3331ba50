using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Tickets;

/// <summary>What a client without a valid ticket learns and uses at an endpoint whose policies do not apply to bearers, and what the app sees of it.</summary>
public class TicketProblemTests
{
    private const string Url = "/files";

    public static TheoryData<string, string> Cases => [.. from place in TusApp.Places from protocol in ProtocolClient.Protocols select (place.Data, protocol.Data)];

    [Theory]
    [InlineData(TusApp.Mapped)]
    [InlineData(TusApp.Endpoint)]
    [InlineData(TusApp.ReadyMade)]
    public async Task Discovery_with_invalid_ticket_shows_no_capabilities(string place)
    {
        await using TicketApp app = await TicketApp.StartAsync(place);
        foreach ((string, string)[] headers in new (string, string)[][] { [], [("Tus-Resumable", "1.0.0")], [("X-File-Id", "f")], [("Upload-Draft-Interop-Version", "10")] })
        {
            using var request = new HttpRequestMessage(HttpMethod.Options, TicketApp.Url + "?ticket=x");
            Array.ForEach(headers, header => request.Headers.Add(header.Item1, header.Item2));
            using HttpResponseMessage response = await app.Client.SendAsync(request);
            await response.ProblemAsync(403, IetfClient.Own + "ticket-invalid");
            Assert.DoesNotContain(response.Headers, static header => header.Key is "Tus-Extension" or "Tus-Max-Size" or "Upload-Limit" or "Accept-Patch");
        }

        using var valid = new HttpRequestMessage(HttpMethod.Options, app.CreateTicket().Url);
        using HttpResponseMessage discovery = await app.Client.SendAsync(valid);
        Assert.True(discovery.IsSuccessStatusCode, $"{discovery}");
        Assert.NotNull(discovery.Header("Tus-Max-Size"));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Invalid_ticket_is_reported_before_an_invalid_request(string place, string protocol)
    {
        await using TicketApp app = await TicketApp.StartAsync(place, static options => options.MaxUploadSize = 10);
        (string, string)[] headers = protocol switch
        {
            ProtocolClient.FileId => [("X-Start-Byte", "-1")],
            ProtocolClient.Tus => [("Upload-Checksum", "?")],
            _ => [("Upload-Offset", "-1")],
        };
        await app.Client.SendFirstAsync(protocol, TicketApp.Url + "?ticket=x", "hel"u8.ToArray(), 5, headers).AssertProblemAsync(403, "ticket-invalid");
        await app.Client.SendFirstAsync(protocol, TicketApp.Url + "?ticket=x", "hel"u8.ToArray(), 11).AssertProblemAsync(403, "ticket-invalid");
    }

    [Theory]
    [InlineData(ProtocolClient.FileId)]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Invalid_ticket_keeps_limits_of_server_and_does_not_read_the_body(string protocol)
    {
        var limit = new BodySizeLimit { MaxRequestBodySize = 1000 };
        var body = new CountingStream();
        await using TestApp app = await StartAsync(app =>
        {
            app.Use((context, next) =>
            {
                context.Features.Set<IHttpMaxRequestBodySizeFeature>(limit);
                context.Request.Body = body;
                return next(context);
            });
            app.UseAuthorization();
            app.MapResumableUploads(Url).RequireAuthorization().AllowUploadTickets();
        });
        await app.Client.SendFirstAsync(protocol, Url + "?ticket=x", "hel"u8.ToArray(), 5).AssertProblemAsync(403, "ticket-invalid");
        Assert.Equal((1000, 0), (limit.MaxRequestBodySize, body.Reads));
    }

    /// <summary>The next bytes on the connection could be the body or another request.</summary>
    [Theory]
    [InlineData(TusApp.Mapped)]
    [InlineData(TusApp.Endpoint)]
    [InlineData(TusApp.ReadyMade)]
    public async Task Connection_is_closed_if_client_waits_for_continue(string place)
    {
        await using TicketApp app = await TicketApp.StartAsync(place);
        using HttpResponseMessage response = await app.Client.TusAsync(
            "POST", TicketApp.Url + "?ticket=x", "hel"u8.ToArray(), ("Upload-Length", "5"), ("Expect", "100-continue"));
        Assert.Equal((403, true), ((int)response.StatusCode, response.Headers.ConnectionClose));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Endpoint_allows_anonymous_requests_only_against_a_fallback_policy(bool hasFallback)
    {
        bool? isAnonymous = null;
        await using TestApp app = await StartAsync(
            app =>
            {
                app.Use((context, next) =>
                {
                    isAnonymous = context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null;
                    return next(context);
                });
                app.UseAuthorization();
                app.MapPost(Url, static () => "stored").WithResumableUploads().RequireAuthorization().AllowUploadTickets();
            },
            builder => builder.Services.AddAuthorizationBuilder()
                .SetFallbackPolicy(hasFallback ? new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build() : null));
        string ticket = app.Services.GetRequiredService<IUploadTickets>().Create(new UploadTicketOptions { Path = Url }).Url;
        await app.Client.BeginAsync(ProtocolClient.Tus, ticket, "hel"u8.ToArray(), 5);
        Assert.Equal(hasFallback, isAnonymous);
    }

    [Theory]
    [InlineData(ProtocolClient.FileId)]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Raw_target_that_events_see_has_no_ticket(string protocol)
    {
        string? target = null;
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Endpoint, options => options.OnCreating = (upload, _) =>
        {
            target = upload.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
            return Task.CompletedTask;
        });
        await app.Client.BeginAsync(protocol, app.CreateTicket().Url + "&album=a%20b", "hel"u8.ToArray(), 5);
        Assert.Equal(TicketApp.Url + "?album=a%20b", target);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Attribute_without_data_protection_fails_at_start(bool onAction)
    {
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(() => EndpointApp.StartAsync(
            app =>
            {
                if (onAction)
                {
                    app.MapControllers();
                }
                else
                {
                    app.MapPost(Url, static () => "stored").WithResumableUploads().WithMetadata(new AllowUploadTicketsAttribute());
                }
            },
            static options => options.UseMemoryStore(),
            static builder => builder.Services.AddControllers().OnlyControllers(typeof(FilesController)),
            onTestHost: true));
        Assert.Contains("AddDataProtection()", error.Message, StringComparison.Ordinal);
    }

    private static Task<TestApp> StartAsync(Action<WebApplication> map, Action<WebApplicationBuilder>? services = null) => EndpointApp.StartAsync(
        map,
        static options => options.UseMemoryStore(),
        builder =>
        {
            HeaderAuthentication.AddTo(builder);
            services?.Invoke(builder);
            builder.Services.AddSingleton<IDataProtectionProvider, EphemeralDataProtectionProvider>();
        },
        onTestHost: true);

    public sealed class FilesController : ControllerBase
    {
        [HttpPost("/files")]
        [ResumableUpload]
        [AllowUploadTickets]
        public string Save() => "stored";
    }

    private sealed class BodySizeLimit : IHttpMaxRequestBodySizeFeature
    {
        public bool IsReadOnly => false;

        public long? MaxRequestBodySize { get; set; }
    }

    /// <summary>A body that counts how often it is read.</summary>
    private sealed class CountingStream() : MemoryStream("hel"u8.ToArray())
    {
        public int Reads { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Reads++;
            return base.ReadAsync(buffer, cancellationToken);
        }
    }
}
