using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Tickets;

/// <summary>The validation of a new ticket, and its URL.</summary>
public class TicketCreationTests
{
    public static TheoryData<string> InvalidOptions => [.. Invalid.Keys];

    private static Dictionary<string, Action<UploadTicketOptions>> Invalid { get; } = new()
    {
        ["Path ''"] = static options => options.Path = "",
        ["Path '/'"] = static options => options.Path = "/",
        ["Path 'files'"] = static options => options.Path = "files",
        ["Path '//other.example/files'"] = static options => options.Path = "//other.example/files",
        ["Path '/\\other.example'"] = static options => options.Path = "/\\other.example",
        ["Path '/files?a=b'"] = static options => options.Path = "/files?a=b",
        ["Path '/albums/{id}'"] = static options => options.Path = "/albums/{id}",
        ["Host 'https://tenant.example'"] = static options => options.Host = "https://tenant.example",
        ["Owner must"] = static options => options.Owner = "",
        ["Owner must have 1 to 256"] = static options => options.Owner = new string('a', 257),
        ["MaxLength is 0"] = static options => options.MaxLength = 0,
        ["FileName must"] = static options => options.FileName = "",
        ["FileName must have 1 to 255"] = static options => options.FileName = new string('a', 256),
        ["ContentTypes contains 'image'"] = static options => options.ContentTypes.Add("image"),
        ["ContentTypes contains 'text/plain; charset=utf-8'"] = static options => options.ContentTypes.Add("text/plain; charset=utf-8"),
        ["ContentTypes contains 'application/*+xml'"] = static options => options.ContentTypes.Add("application/*+xml"),
        ["ContentTypes contains '*/png'"] = static options => options.ContentTypes.Add("*/png"),
        ["ContentTypes has more than 20"] = static options => Enumerable.Range(0, 21).ToList().ForEach(i => options.ContentTypes.Add($"image/{i}")),
        ["Lifetime is 00:00:00"] = static options => options.Lifetime = TimeSpan.Zero,
        ["Lifetime is 7.00:00:00.0000001"] = static options => options.Lifetime = UploadTicketOptions.MaxLifetime + TimeSpan.FromTicks(1),
        ["The ticket would have"] = static options => options.Path = "/" + new string('a', 4000),
    };

    [Theory]
    [MemberData(nameof(InvalidOptions))]
    public async Task Invalid_option_is_named(string message)
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped);
        ArgumentException error = Assert.Throws<ArgumentException>(() => app.CreateTicket(Invalid[message]));
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
        Assert.Equal("options", error.ParamName);
    }

    [Fact]
    public async Task Url_is_the_escaped_path_with_the_ticket()
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped);
        UploadTicket ticket = app.CreateTicket(static options => (options.Path, options.Lifetime) = ("/base/my files/", UploadTicketOptions.MaxLifetime));
        Assert.Matches("^/base/my%20files\\?ticket=[A-Za-z0-9_-]+$", ticket.Url);
        Assert.Equal(app.Time.GetUtcNow().AddDays(7), ticket.Expires);
        Assert.DoesNotContain(ticket.Id, ticket.Url, StringComparison.Ordinal);
        Assert.NotEqual(ticket.Id, app.CreateTicket().Id);
    }

    [Fact]
    public async Task Missing_data_protection_is_reported_at_start_and_at_creation()
    {
        static Task<TestApp> StartAsync(Action<WebApplication> map, Action<ResumableUploadOptions>? configure = null) => EndpointApp.StartAsync(
            app =>
            {
                app.MapGet("/", static () => "hello");
                map(app);
            },
            options =>
            {
                options.UseMemoryStore();
                configure?.Invoke(options);
            },
            onTestHost: true);

        await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(static app => app.UseResumableUploads(), static options => options.AcceptTickets = true));
        await using TestApp mapped = await StartAsync(static app => app.MapResumableUploads("/files"));
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(
            () => mapped.Services.GetRequiredService<IUploadTickets>().Create(new UploadTicketOptions { Path = "/files" }));
        Assert.Contains("AddDataProtection()", error.Message, StringComparison.Ordinal);
        Assert.Null(mapped.Services.GetService<IDataProtectionProvider>());
        await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(static app => app.MapResumableUploads("/files").AllowUploadTickets()));
    }
}
