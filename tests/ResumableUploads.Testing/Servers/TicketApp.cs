using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.Testing.Servers;

/// <summary>An upload as the handler of a <see cref="TicketApp"/> has received it.</summary>
internal sealed record TicketedFile(string Content, string FileName, UploadTicketInfo? Ticket)
{
    /// <summary>Gets the user, the query and the cookies that the handler saw, if it is an endpoint.</summary>
    public string? Seen { get; init; }
}

/// <summary>
/// An app that accepts tickets at <c>/files</c> and plain requests only of signed-in users, and a second path without tickets. The middleware runs before the
/// authorization middleware, and endpoints behind it.
/// </summary>
internal sealed class TicketApp : IAsyncDisposable
{
    public const string Url = "/files";
    public const string OtherUrl = "/other";

    /// <summary>The first value of <see cref="Time"/>.</summary>
    public static readonly DateTimeOffset StartTime = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private TicketApp(TestApp app, FakeTimeProvider time, ConcurrentQueue<TicketedFile> received) => (App, Time, Received) = (app, time, received);

    public TestApp App { get; }

    public HttpClient Client => App.Client;

    public FakeTimeProvider Time { get; }

    public ConcurrentQueue<TicketedFile> Received { get; }

    /// <param name="place">The kind of upload path, one of <see cref="TusApp.Places"/>.</param>
    /// <param name="configure">Configures the options. The owner is that of the <c>X-Test-User</c> header.</param>
    /// <param name="services">Adds services.</param>
    /// <param name="onKestrel">Uses Kestrel and the clock of the system, instead of TestHost and <see cref="Time"/>.</param>
    /// <param name="directory">The directory that two apps share, or null. The keys of data protection are in it too.</param>
    /// <param name="answer">The response of the handler, or null for 201.</param>
    public static async Task<TicketApp> StartAsync(
        string place,
        Action<ResumableUploadOptions>? configure = null,
        Action<WebApplicationBuilder>? services = null,
        bool onKestrel = false,
        string? directory = null,
        Func<IResult>? answer = null)
    {
        var received = new ConcurrentQueue<TicketedFile>();
        var time = new FakeTimeProvider(StartTime);
        TestApp app = await TestApp.StartAsync(
            services: builder =>
            {
                if (directory is null)
                {
                    builder.Services.AddSingleton<IDataProtectionProvider, EphemeralDataProtectionProvider>();
                }
                else
                {
                    builder.Services.AddDataProtection().SetApplicationName("tickets").PersistKeysToFileSystem(new DirectoryInfo(Path.Combine(directory, "keys")));
                }

                if (!onKestrel)
                {
                    builder.Services.AddSingleton<TimeProvider>(time);
                }

                HeaderAuthentication.AddTo(builder);
                builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins("https://other.example").WithResumableUploads()));
                builder.Services.AddResumableUploads(options =>
                {
                    options.Store = new MemoryUploadStore(timeProvider: onKestrel ? TimeProvider.System : time);
                    if (directory is not null)
                    {
                        (options.Store, options.Directory) = (null, Path.Combine(directory, "store"));
                        options.FileSystem.Durability = Abstractions.Durability.ProcessCrash;
                    }

                    options.Timeouts.PreemptionTimeout = TestApp.PreemptionTimeout;
                    options.UploadPath = Url;
                    options.AcceptTickets = true;
                    options.AnonymousOwner = AnonymousOwner.Reject;
                    options.Owner = static context => context.User.FindFirst("sub")?.Value;
                    configure?.Invoke(options);
                });
                services?.Invoke(builder);
            },
            after: app => Map(app, place, received, answer),
            onTestHost: !onKestrel,
            useUploads: false,
            directory: directory);
        return new TicketApp(app, time, received);
    }

    /// <summary>Creates a ticket for <see cref="Url"/> and the owner "ann".</summary>
    public UploadTicket CreateTicket(Action<UploadTicketOptions>? configure = null)
    {
        var options = new UploadTicketOptions { Path = Url, Owner = "ann" };
        configure?.Invoke(options);
        return App.Services.GetRequiredService<IUploadTickets>().Create(options);
    }

    public ValueTask DisposeAsync() => App.DisposeAsync();

    private static void Map(WebApplication app, string place, ConcurrentQueue<TicketedFile> received, Func<IResult>? answer)
    {
        app.UseRouting();
        app.UseCors();
        app.UseAuthentication();
        if (place == TusApp.ReadyMade)
        {
            app.UseResumableUploads(options => options.OnCompleted = CompletedAsync);
        }

        app.UseAuthorization();
        if (place == TusApp.Mapped)
        {
            app.MapResumableUploads(Url, options => options.OnCompleted = CompletedAsync).RequireAuthorization().AllowUploadTickets();
        }
        else if (place == TusApp.Endpoint)
        {
            app.MapPost(Url, (Delegate)HandleAsync).WithResumableUploads().RequireAuthorization().AllowUploadTickets();
        }

        app.MapPost(OtherUrl, (Delegate)HandleAsync).WithResumableUploads().RequireAuthorization();

        async Task CompletedAsync(CompletedUpload upload, CancellationToken cancellationToken)
        {
            await using Stream content = await upload.OpenReadAsync(cancellationToken);
            received.Enqueue(new TicketedFile(await ReadAsync(content), upload.FileName, upload.Ticket));
            upload.Response = UploadResponse.Text("stored", 201);
        }

        async Task<IResult> HandleAsync(HttpContext context)
        {
            IResumableUploadFeature? upload = context.Features.Get<IResumableUploadFeature>();
            received.Enqueue(new TicketedFile(await ReadAsync(context.Request.Body), upload?.FileName ?? "", upload?.Ticket)
            {
                Seen = $"user {context.User.Identity?.IsAuthenticated} query '{context.Request.QueryString}' cookies '{context.Request.Headers.Cookie}'",
            });
            return answer?.Invoke() ?? Results.Text("stored", statusCode: 201);
        }
    }

    private static async Task<string> ReadAsync(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }
}
