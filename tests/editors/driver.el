;;; driver.el --- Steers Emacs for a test -*- lexical-binding: t -*-

;;; Commentary:
;; It does what each line of JSON on a socket asks for, and tells what it shows when that changes.  The language
;; server is set up with eglot as a user would.

;;; Code:

(require 'cl-lib)
(require 'eglot)
(require 'flymake)
(require 'jsonrpc)

(defconst kimi-test-patience 15.0 "Seconds that an answer of the server may take.")

(setq inhibit-startup-screen t
      make-backup-files nil
      auto-save-default nil
      create-lockfiles nil
      native-comp-jit-compilation nil
      native-comp-deferred-compilation nil
      eglot-report-progress nil
      eldoc-documentation-strategy #'eldoc-documentation-compose)

(add-to-list 'eglot-server-programs
             (cons 'python-mode (append (json-parse-string (getenv "KIMI_TEST_SERVER") :array-type 'list) nil)))

(setq-default eglot-workspace-configuration
              (json-parse-string (getenv "KIMI_TEST_SETTINGS") :object-type 'plist))

(defvar kimi-test-socket nil)
(defvar kimi-test-pending "" "What has come of a line that is not whole yet.")
(defvar kimi-test-shown nil "What was told to be shown last.")
(defvar kimi-test-documentation nil "What eldoc displayed last.")

(defun kimi-test-send (&rest message)
  "Send MESSAGE, a plist."
  (process-send-string kimi-test-socket (concat (json-serialize message) "\n")))

;; Diagnostics

(defun kimi-test-diagnostic (overlay)
  "Say the diagnostic that OVERLAY marks, as it stands now; flymake's own list has the places where it was reported."
  (let* ((diagnostic (overlay-get overlay 'flymake-diagnostic))
         (raw (alist-get 'eglot-lsp-diag (flymake-diagnostic-data diagnostic)))
         (begin (overlay-start overlay)))
    (save-excursion
      (goto-char begin)
      (list :line (1- (line-number-at-pos begin t))
            :column (- begin (line-beginning-position))
            :text (buffer-substring-no-properties begin (overlay-end overlay))
            :severity (nth (1- (plist-get raw :severity)) '("error" "warning" "information" "hint"))
            :code (or (plist-get raw :code) :null)
            :source (or (plist-get raw :source) :null)
            :message (plist-get raw :message)))))

(defun kimi-test-watch ()
  "Tell what is shown, if it is something else than before."
  (with-current-buffer (window-buffer)
    (when (bound-and-true-p flymake-mode)
      (let* ((overlays (overlays-in (point-min) (point-max)))
             (marks (cl-remove-if-not (lambda (one) (overlay-get one 'flymake-diagnostic)) overlays))
             (shown (vconcat (mapcar #'kimi-test-diagnostic marks))))
        (unless (equal shown kimi-test-shown)
          (setq kimi-test-shown shown)
          (kimi-test-send :shown shown))))))

(cl-defmethod eglot-handle-notification :before (_server (_method (eql 'window/showMessage))
                                                         &key message &allow-other-keys)
  "Tell the MESSAGE that is about to be shown."
  (kimi-test-send :popup message))

;; What can be asked for

(defun kimi-test-go-to (with)
  "Move point to the place in WITH."
  (goto-char (point-min))
  (forward-line (plist-get with :line))
  (forward-char (plist-get with :column)))

(defun kimi-test-wait (holds)
  "Wait until HOLDS returns something, and return it."
  (with-timeout (kimi-test-patience (error "It never came"))
    (let (it)
      (while (not (setq it (funcall holds)))
        (accept-process-output nil 0.01))
      it)))

(cl-defgeneric kimi-test-asked (what with)
  "Do WHAT, a symbol, WITH arguments in a plist; the value is sent back.")

(cl-defmethod kimi-test-asked ((_ (eql 'open)) with)
  "Visit the file in WITH."
  (find-file (plist-get with :path))
  (let ((this-command #'eglot))
    (call-interactively #'eglot))
  (flymake-start)
  :null)

(cl-defmethod kimi-test-asked ((_ (eql 'edit)) with)
  "Replace the lines in WITH."
  (let ((lines (plist-get with :lines)))
    (goto-char (point-min))
    (forward-line (plist-get with :first))
    (delete-region (point) (save-excursion
                             (forward-line (- (plist-get with :stop) (plist-get with :first)))
                             (point)))
    (insert (mapconcat (lambda (line) (concat line "\n")) lines ""))
    (undo-boundary)
    :null))

(cl-defmethod kimi-test-asked ((_ (eql 'undo)) _with)
  "Take the last edit back."
  (let ((last-command 'ignore))
    (undo-only 1))
  :null)

(cl-defmethod kimi-test-asked ((_ (eql 'hover)) with)
  "Return what eldoc displays at the place in WITH, once it holds a word."
  (kimi-test-go-to with)
  (setq kimi-test-documentation nil)
  (let ((eldoc-display-functions
         (list (lambda (documentation _interactive) (setq kimi-test-documentation documentation)))))
    (eldoc-print-current-symbol-info)
    (kimi-test-wait
     (lambda ()
       (cl-find-if (lambda (text) (string-search (plist-get with :word) text))
                   (mapcar (lambda (one) (substring-no-properties (car one))) kimi-test-documentation))))))

(cl-defmethod kimi-test-asked ((_ (eql 'actions)) with)
  "Return the titles of the menu at the place in WITH, and choose one if it says so."
  (kimi-test-go-to with)
  (let* (titles
         (last-nonmenu-event ?x) ; the keyboard, so that no mouse menu pops up
         (completing-read-function
          (lambda (_prompt collection &rest _)
            (setq titles (all-completions "" collection))
            (or (car (member (plist-get with :choose) titles)) (signal 'quit nil)))))
    (condition-case nil
        (call-interactively #'eglot-code-actions)
      (quit nil))
    (vconcat titles)))

(cl-defmethod kimi-test-asked ((_ (eql 'execute)) with)
  "Run the command in WITH; its result is told when it comes."
  (jsonrpc-async-request
   (eglot-current-server) :workspace/executeCommand
   (list :command (plist-get with :command) :arguments (vconcat (plist-get with :arguments)))
   :timeout 60
   :success-fn (lambda (result) (kimi-test-send :done result))
   :error-fn (lambda (problem) (kimi-test-send :done (list :state "error" :message (plist-get problem :message)))))
  :null)

(cl-defmethod kimi-test-asked ((_ (eql 'quit)) _with)
  "End Emacs."
  (kill-emacs 0))

;; The socket

(defun kimi-test-take (line)
  "Do what LINE asks for."
  (let* ((message (json-parse-string line :object-type 'plist :array-type 'list :null-object nil))
         (id (plist-get message :id)))
    (condition-case problem
        (with-current-buffer (window-buffer)
          (kimi-test-send :answer id :value (kimi-test-asked (intern (plist-get message :do))
                                                             (plist-get message :with))))
      (error (kimi-test-send :answer id :problem (error-message-string problem))))))

(defun kimi-test-receive (_socket text)
  "Do what the whole lines of TEXT ask for."
  (let ((lines (split-string (concat kimi-test-pending text) "\n")))
    (setq kimi-test-pending (car (last lines)))
    (dolist (line (butlast lines))
      (run-with-timer 0 nil #'kimi-test-take line))))

(setq kimi-test-socket
      (make-network-process :name "test" :host "127.0.0.1" :service (string-to-number (getenv "KIMI_TEST_PORT"))
                            :coding 'utf-8 :noquery t :filter #'kimi-test-receive
                            :sentinel (lambda (&rest _) (kill-emacs 1))))
(run-with-timer 0 0.02 #'kimi-test-watch)

;;; driver.el ends here
