using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.Filters;
using ResumableUploads.Hosting.Endpoints.Execution;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Execution;

/// <summary>Antiforgery filters of MVC. They run with the action, and a chunk is handled before the action.</summary>
public class AntiforgeryFilterTests
{
    public static TheoryData<string, bool?, bool> Filters => new()
    {
        { "", null, false },
        { "", true, true },
        { "", false, false },
        { "Validate", null, true },
        { "Auto", null, true },
        { "Ignore", true, false },
        { "Auto,Ignore", null, false },
        { "Ignore,Validate", null, true },
        { "Validate", false, true },
    };

    [Theory]
    [MemberData(nameof(Filters))]
    public void Last_filter_or_else_metadata_requires_a_token(string filters, bool? metadata, bool expected)
    {
        var action = new ActionDescriptor
        {
            FilterDescriptors =
            [
                .. filters.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(static name => new FilterDescriptor(
                    name switch
                    {
                        "Validate" => new ValidateAntiForgeryTokenAttribute(),
                        "Auto" => new AutoValidateAntiforgeryTokenAttribute(),
                        _ => new IgnoreAntiforgeryTokenAttribute(),
                    },
                    FilterScope.Action)),
            ],
        };
        object[] items = metadata is { } required ? [action, new Metadata(required)] : [action];
        Assert.Equal(expected, AntiforgeryValidator.IsRequired(new Endpoint(null, new EndpointMetadataCollection(items), null)));
    }

    [Theory]
    [InlineData("/checked", 400)]
    [InlineData("/unchecked", 200)]
    public async Task Creation_for_action_with_filter_requires_a_token(string path, int status)
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app => app.MapControllers(),
            services: static builder => builder.Services.AddControllersWithViews().OnlyControllers(typeof(CheckedController)),
            onTestHost: true);
        using HttpResponseMessage created = await app.Client.SendFirstAsync(ProtocolClient.FileId, path, [1], 2);
        Assert.Equal(status, (int)created.StatusCode);
    }

    [Fact]
    public async Task Filter_accepts_a_token_that_was_valid_at_creation()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app =>
            {
                app.MapControllers();
                app.MapGet("/token", static (HttpContext context, IAntiforgery antiforgery) => antiforgery.GetAndStoreTokens(context).RequestToken);
            },
            services: static builder => builder.Services.AddControllersWithViews().OnlyControllers(typeof(CheckedController)),
            onTestHost: true);
        using HttpResponseMessage tokens = await app.Client.GetAsync("/token");
        string cookie = tokens.Header("Set-Cookie")!.Split(';')[0];
        string token = await tokens.Content.ReadAsStringAsync();
        using HttpResponseMessage first = await app.Client.AppendAsync(
            "f", 0, new ByteArrayContent([1]), 2, "/checked", ("Cookie", cookie), ("RequestVerificationToken", token));
        Assert.Equal(200, (int)first.StatusCode);
        using HttpResponseMessage last = await app.Client.AppendAsync("f", 1, new ByteArrayContent([2]), 2, "/checked");
        Assert.Equal((200, "checked"), ((int)last.StatusCode, await last.Content.ReadAsStringAsync()));
    }

    private sealed class Metadata(bool requiresValidation) : IAntiforgeryMetadata
    {
        public bool RequiresValidation => requiresValidation;
    }
}

[ResumableUpload]
public sealed class CheckedController : ControllerBase
{
    [HttpPost("/checked"), ValidateAntiForgeryToken]
    public string Checked() => "checked";

    [HttpPost("/unchecked")]
    public string Unchecked() => "unchecked";
}
