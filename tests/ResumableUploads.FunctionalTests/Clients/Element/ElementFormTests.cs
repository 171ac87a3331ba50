using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;
using ResumableUploads.FunctionalTests.Clients.BrowserClient;
using ResumableUploads.Testing;
using static Microsoft.Playwright.Assertions;

namespace ResumableUploads.FunctionalTests.Clients.Element;

/// <summary>The element as a control of a form.</summary>
public abstract class ElementFormTests(InstalledBrowser browser)
{
    [Fact]
    public async Task Form_refers_to_completed_uploads()
    {
        await using ElementPage page = await OpenAsync("name=files required");
        ILocator send = page.Tab.GetByRole(AriaRole.Button, new() { Name = "Send" });
        await send.ClickAsync();
        Assert.Equal("Choose a file.", await page.Element.EvaluateAsync<string>("element => element.validationMessage"));
        await using (await page.FailAsync(413, "owner-quota"))
        {
            await page.ChooseAsync(("a.txt", 10), ("b.txt", 10), ("c.txt", 10));
            await Expect(page.Summary).ToContainTextAsync("3 failed");
            await send.ClickAsync();
            Assert.StartsWith("Some files were not uploaded.", await page.Element.EvaluateAsync<string>("element => element.validationMessage"), StringComparison.Ordinal);
        }

        await page.Element.GetByRole(AriaRole.Button, new() { Name = "Retry failed" }).ClickAsync();
        await Expect(page.Headline).ToHaveTextAsync("3 files uploaded");
        IResponse deletion = await page.Tab.RunAndWaitForResponseAsync(
            () => page.Button("b.txt", "Remove").ClickAsync(), static response => response.Request.Method == "DELETE");
        Assert.Equal(204, deletion.Status);
        Assert.Equal(2, await page.Element.EvaluateAsync<int>("element => element.value.length"));
        await send.ClickAsync();

        await Expect(page.Tab.Locator("body")).ToHaveTextAsync("Completed a.txt, Completed c.txt");
    }

    [Fact]
    public async Task Reset_removes_files_and_disabled_fieldset_disables_buttons()
    {
        await using ElementPage page = await OpenAsync("name=files");
        await page.Tab.EvaluateAsync(
            """
            () => {
              window.changes = [];
              document.addEventListener('change', event => changes.push(event.target.value.length));
            }
            """);
        await page.ChooseAsync(("a.txt", 10));
        await page.ExpectAsync("a.txt", "completed");
        await page.Tab.EvaluateAsync("document.forms[0].reset()");
        await Expect(page.Rows).ToHaveCountAsync(0);
        Assert.Equal("1,0", await page.Tab.EvaluateAsync<string>("`${changes}`"));

        await page.Tab.EvaluateAsync("() => { const fieldset = document.createElement('fieldset'); fieldset.disabled = true; document.forms[0].append(fieldset); fieldset.append(document.querySelector('resumable-upload')); }");
        await Expect(page.Element.GetByRole(AriaRole.Button, new() { Name = "Choose files" })).ToBeDisabledAsync();
    }

    [Fact]
    public async Task Reset_keeps_uploads_on_server_and_stops_those_that_run()
    {
        await using ElementPage page = await OpenAsync("name=files");
        const string Add = "element => element.addFiles([new File(['text'], 'a.txt', { lastModified: 1 })])";
        await page.Element.EvaluateAsync(Add);
        await page.ExpectAsync("a.txt", "completed");
        await page.Tab.EvaluateAsync("document.forms[0].reset()");
        await Expect(page.Rows).ToHaveCountAsync(0);
        await page.Element.EvaluateAsync(Add);
        await Expect(page.Element.Locator("[part=status]")).ToHaveTextAsync("Already uploaded");

        Assert.Equal(
            "paused,0",
            await page.Element.EvaluateAsync<string>(
                """
                async element => {
                  const { queue } = element;
                  queue.pause();
                  const [upload] = await element.addFiles([new File(['text'], 'b.txt')]);
                  // The rows of a queue are shown after its events.
                  await new Promise(resolve => setTimeout(resolve));
                  element.form.reset();
                  return `${upload.state},${queue.uploads.length}`;
                }
                """));
    }

    [Fact]
    public async Task Form_is_invalid_while_files_are_read()
    {
        await using ElementPage page = await OpenAsync("name=files required");
        string message = await page.Tab.EvaluateAsync<string>(
            """
            () => {
              const element = document.querySelector('resumable-upload');
              const held = new Promise(resolve => window.read = resolve);
              const { arrayBuffer } = Blob.prototype;
              Blob.prototype.arrayBuffer = function () { return held.then(() => arrayBuffer.call(this)); };
              element.addFiles([new File(['text'], 'a.txt', { lastModified: 1 })]);
              return element.validationMessage;
            }
            """);
        Assert.Equal("Wait until all files are uploaded.", message);
        Assert.False(await page.Element.EvaluateAsync<bool>("element => element.checkValidity()"));

        await page.Tab.EvaluateAsync("read()");
        await page.ExpectAsync("a.txt", "completed");
        Assert.True(await page.Element.EvaluateAsync<bool>("element => element.checkValidity()"));
    }

    [Fact]
    public async Task Removed_element_does_not_listen_to_queue_of_app()
    {
        await using ElementPage page = await OpenAsync("");
        await page.Tab.EvaluateAsync(
            """
            async () => {
              const { UploadQueue } = await import('/_content/ResumableUploads/resumable-uploads-element.js');
              window.queue = new UploadQueue({ url: '/upload', autoStart: false });
              window.listeners = 0;
              const { addEventListener } = queue;
              queue.addEventListener = function (type, listener, options) {
                listeners += options?.signal?.aborted ? 0 : 1;
                options?.signal?.addEventListener('abort', () => listeners--);
                addEventListener.call(this, type, listener, options);
              };
              window.element = document.createElement('resumable-upload');
              window.place = document.forms[0];
              document.querySelector('resumable-upload').remove();
              element.queue = queue;
              place.append(element);
            }
            """);
        await page.Tab.WaitForFunctionAsync("() => listeners >= 5");
        Assert.Equal(0, await page.Tab.EvaluateAsync<int>("async () => { element.remove(); await new Promise(resolve => setTimeout(resolve)); return listeners; }"));

        await page.Tab.EvaluateAsync("queue.add([new File(['text'], 'a.txt')]).then(() => place.append(element))");
        await page.ExpectAsync("a.txt", "idle");
    }

    [Fact]
    public async Task Queue_of_app_that_replaces_own_queue_is_not_paused()
    {
        await using ElementPage page = await OpenAsync("");
        Assert.False(await page.Tab.EvaluateAsync<bool>(
            """
            async () => {
              const { UploadQueue } = await import('/_content/ResumableUploads/resumable-uploads-element.js');
              const element = document.querySelector('resumable-upload');
              const own = element.queue;
              element.queue = new UploadQueue({ url: '/upload' });
              element.remove();
              await new Promise(resolve => setTimeout(resolve));
              return element.queue === own || element.queue.isPaused;
            }
            """));
    }

    [Fact]
    public async Task Form_has_completed_uploads_again_after_back_button()
    {
        await using ElementPage page = await OpenAsync("name=files");
        await page.ChooseAsync(("a.txt", 10), ("b.txt", 10));
        await Expect(page.Headline).ToHaveTextAsync("2 files uploaded");
        await page.Tab.GotoAsync(new Uri(page.App.Address, "/other").ToString());
        await page.Tab.GoBackAsync();

        await Expect(page.Headline).ToHaveTextAsync("2 files uploaded");
        await page.Tab.RunAndWaitForResponseAsync(
            () => page.Button("b.txt", "Remove").ClickAsync(), static response => response.Request.Method == "DELETE");
        await page.Tab.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
        await Expect(page.Tab.Locator("body")).ToHaveTextAsync("Completed a.txt");
    }

    [Fact]
    public async Task File_that_is_chosen_again_after_back_button_is_sent_once()
    {
        await using ElementPage page = await OpenAsync("name=files");
        const string Add = "element => element.addFiles(['a.txt', 'b.txt'].map(name => new File([name], name, { lastModified: 1 })))";
        await page.Element.EvaluateAsync(Add);
        await Expect(page.Headline).ToHaveTextAsync("2 files uploaded");
        await page.Tab.GotoAsync(new Uri(page.App.Address, "/other").ToString());
        await page.Tab.GoBackAsync();
        await Expect(page.Headline).ToHaveTextAsync("2 files uploaded");

        await page.Element.EvaluateAsync(Add);
        await Expect(page.Headline).ToHaveTextAsync("2 files uploaded");
        await Expect(page.Rows).ToHaveCountAsync(2);
        await page.Button("b.txt", "Remove").ClickAsync();
        await Expect(page.Rows).ToHaveCountAsync(1);
        await page.Tab.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
        await Expect(page.Tab.Locator("body")).ToHaveTextAsync("Completed a.txt");
    }

    [Fact]
    public async Task State_of_earlier_version_is_ignored()
    {
        await using ElementPage page = await OpenAsync("name=files");
        Assert.Equal(0, await page.Element.EvaluateAsync<int>("element => { element.formStateRestoreCallback(new FormData()); return element.value.length; }"));
    }

    [Fact]
    public async Task Removing_file_that_was_uploaded_before_keeps_it_on_server()
    {
        await using ElementPage page = await OpenAsync("name=files");
        var deletions = new List<string>();
        page.Tab.Request += (_, request) =>
        {
            if (request.Method == "DELETE")
            {
                deletions.Add(request.Url);
            }
        };
        const string Add = "element => element.addFiles([new File(['text'], 'a.txt', { lastModified: 1 })])";
        await page.Tab.EvaluateAsync("() => { const other = document.querySelector('resumable-upload').cloneNode(); other.setAttribute('name', 'other'); document.forms[0].append(other); }");
        ILocator first = page.Element.First;
        ILocator second = page.Element.Last;
        await first.EvaluateAsync(Add);
        await Expect(first.Locator("[data-state=completed]")).ToHaveCountAsync(1);
        await second.EvaluateAsync(Add);
        await Expect(second.Locator("[part=status]")).ToHaveTextAsync("Already uploaded");
        await second.GetByRole(AriaRole.Button, new() { Name = "Remove: a.txt" }).ClickAsync();
        await Expect(second.Locator("[part=row]")).ToHaveCountAsync(0);
        await page.Tab.RunAndWaitForResponseAsync(
            () => first.GetByRole(AriaRole.Button, new() { Name = "Remove: a.txt" }).ClickAsync(), static response => response.Request.Method == "DELETE");

        Assert.Single(deletions);
        Assert.Equal(
            "resumable-uploads-files,resumable-uploads-other",
            await page.Tab.EvaluateAsync<string>("async () => (await indexedDB.databases()).map(({ name }) => name).sort().join()"));
    }

    private Task<ElementPage> OpenAsync(string attributes, Action<WebApplication>? after = null) => ElementPage.OpenAsync(
        browser,
        attributes,
        static options => options.OnCompleted = null,
        app =>
        {
            app.MapGet("/other", static () => "Another page");
            app.MapPost("/form", static async (HttpContext context) =>
            {
                IReadOnlyList<FormUpload> files = await context.GetFormUploadsAsync("files", cancellationToken: context.RequestAborted);
                return string.Join(", ", files.Select(static file => $"{file.Status} {file.Upload?.FileName}"));
            });
            after?.Invoke(app);
        });
}

[Collection<ChromiumCollection>]
public class ElementFormInChromiumTests(Chromium browser) : ElementFormTests(browser);

[Collection<FirefoxCollection>]
public class ElementFormInFirefoxTests(Firefox browser) : ElementFormTests(browser);
