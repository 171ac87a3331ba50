using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using ResumableUploads.Testing;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Element;

/// <summary>The page of <c>samples/ReactApp</c>.</summary>
public abstract class ReactSampleTests(InstalledBrowser browser)
{
    [Fact]
    public async Task Form_of_React_refers_to_uploaded_files()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartSampleAsync("ReactApp");
        IPage tab = await context.NewPageAsync();
        var traffic = new Traffic(tab);
        await tab.GotoAsync(host.Address.ToString());
        ILocator element = tab.Locator("resumable-upload");

        await element.Locator("input").First.SetInputFilesAsync(new[] { "a.txt", "b.txt", "c.txt", "d.txt" }.Select(static name => ElementPage.Payload(name, 10)));
        await Expect(element).ToContainTextAsync("Only 3 files are allowed");
        await Expect(element.Locator("[part=summary]")).ToHaveTextAsync("3 files uploaded");
        Assert.Equal(2, await element.EvaluateAsync<int>("element => element.options.concurrency"));
        await tab.GetByLabel("Title").FillAsync("Trip");
        await tab.GetByRole(AriaRole.Button, new() { Name = "Save 3 files" }).ClickAsync();

        await Expect(tab.Locator("output")).ToHaveTextAsync("Saved Trip with 3 files.");
        await Expect(tab.GetByRole(AriaRole.Button, new() { Name = "Save 0 files" })).ToBeVisibleAsync();
        Assert.Equal(["a.txt", "b.txt", "c.txt"], host.Arrived.Select(Path.GetFileName).Order());
        Assert.Empty(traffic.Errors);
    }

    [Fact]
    public async Task Form_that_the_server_refuses_keeps_its_files()
    {
        await using IBrowserContext context = await browser.NewContextAsync();
        await using SampleHostProcess host = await SampleHostProcess.StartSampleAsync("ReactApp");
        IPage tab = await context.NewPageAsync();
        await tab.GotoAsync(host.Address.ToString());
        await tab.Locator("resumable-upload").Locator("input").First.SetInputFilesAsync(ElementPage.Payload("a.txt", 10));
        await tab.GetByLabel("Title").FillAsync("Trip");
        ILocator save = tab.GetByRole(AriaRole.Button, new() { Name = "Save 1 files" });
        await tab.RouteAsync("**/documents", static route => route.FulfillAsync(new() { Status = 400, Body = "The title is taken." }));
        await save.ClickAsync();
        await Expect(tab.Locator("output")).ToHaveTextAsync("The title is taken.");

        await tab.UnrouteAsync("**/documents");
        await save.ClickAsync();
        await Expect(tab.Locator("output")).ToHaveTextAsync("Saved Trip with 1 files.");
        await Expect(tab.GetByLabel("Title")).ToHaveValueAsync("");
    }
}

[Collection<ChromiumCollection>]
public class ReactSampleInChromiumTests(Chromium browser) : ReactSampleTests(browser)
{
    [Fact]
    public async Task Committed_page_is_the_one_that_the_build_creates()
    {
        var packages = new NpmPackages("samples/ReactApp");
        await packages.RequireAsync();
        string directory = Directory.CreateTempSubdirectory("react-build-").FullName;
        try
        {
            Assert.Equal(0, await Needs.RunAsync("node", Path.Combine(packages.Directory, "node_modules/vite/bin/vite.js"), "build", packages.Directory, "--outDir", directory, "--emptyOutDir"));
            foreach (string path in Directory.GetFiles(Path.Combine(packages.Directory, "wwwroot")))
            {
                Assert.True(
                    await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)
                    == await File.ReadAllTextAsync(Path.Combine(directory, Path.GetFileName(path)), TestContext.Current.CancellationToken),
                    $"{path} is not current. Run npm ci && npm run build in samples/ReactApp, and commit wwwroot.");
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}

[Collection<FirefoxCollection>]
public class ReactSampleInFirefoxTests(Firefox browser) : ReactSampleTests(browser);
