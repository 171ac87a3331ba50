using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Dashboard;

/// <summary>An app on Kestrel with a dashboard at <c>/uploads</c>, and a browser of its operator with cookies.</summary>
internal sealed partial class DashboardApp : IAsyncDisposable
{
    private DashboardApp(TestApp app)
    {
        App = app;
        Operator = CreateBrowser("sub:operator");
        Anonymous = CreateBrowser(null);
    }

    public TestApp App { get; }

    /// <summary>Gets the client of an operator who is signed in.</summary>
    public HttpClient Operator { get; }

    public HttpClient Anonymous { get; }

    public IUploadManager Manager => App.Services.GetRequiredService<IUploadManager>();

    public static async Task<DashboardApp> StartAsync(
        Action<ResumableUploadsDashboardOptions>? dashboard = null,
        Action<ResumableUploadOptions>? uploads = null,
        Action<IEndpointConventionBuilder>? conventions = null,
        bool isMapped = true,
        string pattern = "/uploads") => new(await TestApp.StartAsync(
            options =>
            {
                options.FileSystem.SyncInterval = TimeSpan.FromMilliseconds(50);
                options.Owner = static _ => "client";
                uploads?.Invoke(options);
            },
            static builder =>
            {
                HeaderAuthentication.AddTo(builder);
                builder.Services.AddAuthorizationBuilder().AddPolicy("operators", static policy => policy.RequireClaim("sub", "operator")).AddPolicy("anyone", static policy => policy.RequireAssertion(static _ => true));
                builder.Services.AddAntiforgery();
                builder.Services.AddResumableUploads();
            },
            after: app =>
            {
                app.UseAuthentication();
                app.UseAuthorization();
                if (isMapped)
                {
                    IEndpointConventionBuilder builder = app.MapResumableUploadsDashboard(pattern, dashboard);
                    conventions?.Invoke(builder);
                }
            }));

    /// <summary>Returns the page, as a browser gets it.</summary>
    public async Task<string> GetPageAsync(string query = "")
    {
        using HttpResponseMessage response = await Operator.GetAsync("/uploads" + query);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }

    /// <summary>Clicks the button of an action in the first row of a page that has one.</summary>
    public Task<HttpResponseMessage> ClickAsync(string page, string action, bool withToken = true) => Operator.PostAsync("/uploads/actions", CreateForm(page, action, withToken));

    /// <summary>Returns what a browser sends for the button of an action in the first row of a page that has one.</summary>
    public static FormUrlEncodedContent CreateForm(string page, string action, bool withToken = true)
    {
        string form = Form().Matches(page).Select(static match => match.Value).First(form => form.Contains($"value=\"{action}\"", StringComparison.Ordinal));
        return new FormUrlEncodedContent(Hidden().Matches(form)
            .Select(static match => KeyValuePair.Create(match.Groups[1].Value, WebUtility.HtmlDecode(match.Groups[2].Value)))
            .Where(field => withToken || field.Key != "__RequestVerificationToken")
            .Append(KeyValuePair.Create("action", action)));
    }

    public async ValueTask DisposeAsync()
    {
        Operator.Dispose();
        Anonymous.Dispose();
        await App.DisposeAsync();
    }

    private HttpClient CreateBrowser(string? user)
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = App.Address };
        if (user is not null)
        {
            client.DefaultRequestHeaders.Add(HeaderAuthentication.Header, user);
        }

        return client;
    }

    [GeneratedRegex("<form.*?</form>", RegexOptions.Singleline)]
    private static partial Regex Form();

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]*)\" value=\"([^\"]*)\">")]
    private static partial Regex Hidden();
}
